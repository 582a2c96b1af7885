"""Pairs are checked before training, at no price in memory or time."""

import tracemalloc
import warnings

import keras
import numpy as np
import pytest
from helpers import pairs, tiny_unet

from keras_indi.models import InDI


@pytest.fixture
def model():
    model = InDI(tiny_unet(), seed=0)
    model.compile()
    return model


def test_arrays_are_not_copied_to_be_checked(model):
    degraded = np.full((8, 1024, 1024, 3), 100.5, "float32")
    clean = degraded.copy()
    clean[-1, -1, -1, -1] = np.nan  # which the check reaches last
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="clean.*1 values NaN"):
            model.fit(degraded, clean)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 0.7 * clean.nbytes


def test_a_shuffle_buffer_is_filled_once(model):
    tf = pytest.importorskip("tensorflow")
    read = []

    def elements():
        for pair in zip(*pairs(8, height=8, width=8)):
            read.append(1)
            yield pair

    signature = tf.TensorSpec((8, 8, 3), "float32")
    source = tf.data.Dataset.from_generator(
        elements, output_signature=(signature, signature)
    )
    source = source.shuffle(8).batch(4).prefetch(1)
    source = source.apply(tf.data.experimental.assert_cardinality(2))
    model.fit(source, verbose=0)  # where Keras builds the model on a batch itself
    read.clear()
    model.fit(source, verbose=0)
    assert len(read) == 8


def test_without_a_shuffle_the_first_batch_is_looked_at(model):
    tf = pytest.importorskip("tensorflow")
    degraded, clean = pairs(4, height=8, width=8)
    source = tf.data.Dataset.from_tensor_slices((degraded, clean + 1e4)).batch(2)
    with pytest.raises(ValueError, match="clean.*value_range"):
        model.fit(source, verbose=0)


# === Sources whose first batch cannot be read beforehand ===


class Read(keras.callbacks.Callback):
    """Counts the batches of training."""

    count = 0

    def on_train_batch_end(self, batch, logs=None):
        self.count += 1


def generator(degraded, clean):
    for start in (0, 2, 4):
        yield degraded[start : start + 2], clean[start : start + 2]


def shuffled(degraded, clean):
    tf = pytest.importorskip("tensorflow")
    source = tf.data.Dataset.from_tensor_slices((degraded, clean))
    return source.shuffle(6).batch(2)


def losses_of(model, source, **kwargs):
    read = Read()
    history = model.fit(source, verbose=0, callbacks=[read], **kwargs)
    return read.count, history.history["loss"]


@pytest.mark.parametrize("make", [generator, shuffled])
def test_fractions_of_a_generator_and_a_shuffled_dataset_are_noticed(model, make):
    degraded, clean = pairs(6, height=8, width=8)
    with pytest.warns(UserWarning, match="`degraded`.*would look black") as shown:
        count, _ = losses_of(model, make(degraded / 255, clean / 255))
    assert count == 3
    assert sum("look black" in str(one.message) for one in shown) == 2  # clean too
    with pytest.warns(UserWarning, match="`degraded`.*would look black"):
        model.fit(
            degraded,
            clean,
            validation_data=make(degraded / 255, clean / 255),
            verbose=0,
        )
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*look black")
        count, losses = losses_of(model, make(degraded, clean))
    assert count == 3 and np.isfinite(losses).all()


@pytest.mark.parametrize("make", [generator, shuffled])
def test_wrong_pairs_of_a_generator_and_a_shuffled_dataset_are_refused(model, make):
    degraded, clean = pairs(6, height=8, width=8)
    read = Read()
    with pytest.raises(ValueError, match="clean.*value_range.*Received"):
        model.fit(make(degraded, clean + 1e4), verbose=0, callbacks=[read])
    assert read.count == 0


def arrays(degraded, clean):
    return degraded, clean


@pytest.mark.parametrize("make", [arrays, generator, shuffled])
def test_evaluate_checks_its_pairs(model, make):
    degraded, clean = pairs(6, height=8, width=8)

    def evaluate(degraded, clean):
        made = make(degraded, clean)
        made = made if isinstance(made, tuple) else (made,)
        return model.evaluate(*made, verbose=0)

    with pytest.raises(ValueError, match="clean.*value_range.*Received"):
        evaluate(degraded, clean + 1e4)
    with pytest.warns(UserWarning, match="`degraded`.*would look black"):
        evaluate(degraded / 255, clean / 255)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*look black")
        assert np.isfinite(evaluate(degraded, clean))


def test_fit_checks_validation_pairs_once(model):
    pair = pairs(6, height=8, width=8)
    fractions = tuple(images / 255 for images in pair)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        model.fit(*pair, validation_data=fractions, epochs=3, verbose=0)
    assert sum("look black" in str(one.message) for one in shown) == 2


def test_a_shuffled_dataset_is_checked_once(model):
    degraded, clean = pairs(6, height=8, width=8)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        model.fit(shuffled(degraded / 255, clean / 255), epochs=3, verbose=0)
    assert sum("look black" in str(one.message) for one in shown) == 2


def test_a_generator_goes_on_after_a_fit(model):
    degraded, clean = pairs(2, height=8, width=8)
    read = []

    def endless():
        while True:
            read.append(1)
            yield degraded, clean

    source = endless()
    for _ in range(2):  # (a generator that is closed has nothing left)
        assert losses_of(model, source, steps_per_epoch=2)[0] == 2
    assert len(read) >= 4


# === What is refused ===


def test_sizes_are_checked_before_training(model):
    good, odd = (pairs(2, height=size, width=8) for size in (8, 7))
    read = Read()
    for arguments in (odd, (*good, 2, 1, 0, [read], 0.0, odd)):
        with pytest.raises(ValueError, match=r"of 2;.*clean of shape \(2, 7, 8, 3\)"):
            model.fit(*arguments)
    assert read.count == 0


@pytest.mark.parametrize(
    "arguments, received",
    [
        ((), "degraded=NoneType"),
        ((5,), "degraded=int"),
        (([1.0], [1.0]), "degraded=list, clean=list"),
    ],
)
def test_what_is_no_pairs_is_named(model, arguments, received):
    with pytest.raises(ValueError, match=f"requires pairs.*Received: .*{received}"):
        model.fit(*arguments)


def test_images_have_no_classes(model):
    with pytest.raises(ValueError, match=r"`sample_weight`.*Received: class_weight="):
        model.fit(*pairs(2, height=8, width=8), class_weight={0: 1.0})


def test_weights_that_are_frozen_after_compiling_are_refused(model):
    model = InDI(tiny_unet(), seed=0)
    model.compile()
    data = pairs(2, height=8, width=8)
    model.fit(*data, verbose=0)
    model.backbone.layers[-2].trainable = False
    with pytest.raises(ValueError, match="new optimizer. Received: .* weights"):
        model.fit(*data, verbose=0)
    model.compile()
    model.fit(*data, verbose=0)
