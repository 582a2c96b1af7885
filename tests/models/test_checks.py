"""Pairs are checked before training, at no price in memory or time."""

import tracemalloc

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
