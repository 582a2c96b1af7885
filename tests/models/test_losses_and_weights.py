"""Losses, weights and arguments of `fit` and `compile` are as in stock Keras."""

import functools

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, to_numpy
from keras import ops

from keras_indi.models import InDI, PerImageLoss

QUIET = {"verbose": 0, "shuffle": False}
WEIGHTS = np.random.default_rng(0).uniform(0, 2, (8, 8, 8)).astype("float32")
CLEAN, ESTIMATE = pairs(8, height=8, width=8, seed=5)


@pytest.fixture(scope="module")
def data():
    return pairs(8, height=8, width=8)


def difference(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred), axis=-1)


def batch_mean(y_true, y_pred):
    return ops.mean(ops.abs(y_true - y_pred))


def values_apart(y_true, y_pred):
    return ops.abs(y_true - y_pred)


LOSSES = {
    "name": "mean_absolute_error",
    "object": keras.losses.MeanAbsoluteError(),
    "function": difference,
    "of a batch": batch_mean,
    "of each value": values_apart,
    "lambda": lambda y_true, y_pred: ops.mean(ops.abs(y_true - y_pred), axis=-1),
    "partial": functools.partial(difference),
}
SHAPES = {
    "pixels": lambda w: w,
    "with an axis": lambda w: w[..., None],
    "masks": lambda w: w > 1,
}


def compiled(**kwargs):
    model = InDI(small_network(), noise_schedule=0.02, seed=3)
    model.compile(keras.optimizers.SGD(0.0), **kwargs)
    return model


@pytest.mark.parametrize("name", LOSSES)
def test_every_kind_of_loss_trains(data, name):
    losses = [
        compiled(loss=loss).fit(*data, batch_size=4, **QUIET).history["loss"][0]
        for loss in (LOSSES[name], "mean_absolute_error")
    ]
    assert losses[0] == pytest.approx(losses[1], rel=1e-5)


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize("name", ["object", "function", "of each value", "lambda"])
@pytest.mark.parametrize(
    "reduction", ["sum_over_batch_size", "mean_with_sample_weight"]
)
def test_weights_of_pixels_are_those_of_keras(name, kind, reduction):
    weights = SHAPES[kind](WEIGHTS)
    loss = PerImageLoss(LOSSES[name], reduction=reduction)
    stock = keras.losses.MeanAbsoluteError(reduction=reduction)
    found = float(loss(CLEAN, ESTIMATE, weights))
    expected = float(stock(CLEAN, ESTIMATE, weights.astype("float32")))
    assert found == pytest.approx(expected, rel=1e-5)


def test_equal_weights_of_an_images_pixels_are_the_images_weight():
    of_images = np.arange(8, dtype="float32")
    of_pixels = of_images[:, None, None] * np.ones((8, 8, 8), "float32")
    for reduction in ("sum_over_batch_size", "sum", "mean_with_sample_weight", None):
        loss = PerImageLoss("mean_absolute_error", reduction=reduction)
        first, second = (
            to_numpy(loss(CLEAN, ESTIMATE, weights))
            for weights in (of_images, of_pixels)
        )
        np.testing.assert_allclose(first, second, rtol=1e-5)
        column = to_numpy(loss(CLEAN, ESTIMATE, of_images[:, None]))
        np.testing.assert_allclose(first, np.squeeze(column), rtol=1e-5)


def test_a_mask_of_the_estimate_is_that_of_keras():
    class Mask(keras.layers.Layer):
        def compute_mask(self, inputs, previous_mask=None):
            return ops.any(inputs > 100, axis=-1)

        def call(self, inputs):
            return inputs + 0.0

    estimate = Mask()(ops.convert_to_tensor(ESTIMATE))
    stock = keras.losses.MeanAbsoluteError()
    for weights in (None, WEIGHTS):
        found = float(PerImageLoss()(CLEAN, estimate, weights))
        assert found == pytest.approx(float(stock(CLEAN, estimate, weights)), rel=1e-5)
        unmasked = float(PerImageLoss()(CLEAN, ESTIMATE, weights))
        assert abs(found - unmasked) > 1e-3


def test_pixels_of_weight_zero_teach_nothing(data):
    # The left halves of the clean images are nonsense, and their weight is zero.
    degraded, clean = data
    wrong = clean.copy()
    wrong[:, :, :4] = np.random.default_rng(1).uniform(0, 255, wrong[:, :, :4].shape)
    weights = np.ones(clean.shape[:3], "float32")
    weights[:, :, :4] = 0

    class Copy(keras.layers.Layer):
        """F = a x_t, with a alone to learn."""

        def build(self, shape):
            self.scale = self.add_weight(shape=(), initializer="ones", name="scale")

        def call(self, inputs):
            return self.scale * inputs["degraded"]

        condition_on_degraded = True

    ends = []
    for target in (clean, wrong):
        model = InDI(Copy(), value_range=(0, 255), seed=3)
        model.compile(keras.optimizers.SGD(1e-3))
        arguments = {"sample_weight": weights, "batch_size": 4, **QUIET}
        history = model.fit(degraded, target, epochs=3, **arguments)
        val = model.evaluate(degraded, target, sample_weight=weights, verbose=0)
        ends.append([float(to_numpy(model.backbone.scale)), val])
        ends[-1].extend(history.history["loss"])
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5)
    assert ends[0][0] != 1


@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 8, 1, 1)])
def test_weights_of_other_shapes_are_refused(shape):
    with pytest.raises(ValueError, match=r"Received: sample_weight of shape \(8, 8"):
        PerImageLoss()(CLEAN, ESTIMATE, np.ones(shape, "float32"))


def test_a_list_of_one_loss_is_that_loss(data, tmp_path):
    found = []
    for loss, weights in [("mae", 2.0), (["mae"], [2.0]), (("mae",), 2.0)]:
        model = InDI(small_network(), seed=3)
        model.compile(keras.optimizers.SGD(0.0), loss, loss_weights=weights)
        found.append(model.evaluate(*data, sample_weight=WEIGHTS, verbose=0))
    np.testing.assert_allclose(found, [found[0]] * 3, rtol=1e-6)
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    again = loaded.evaluate(*data, sample_weight=WEIGHTS, verbose=0)
    np.testing.assert_allclose(again, found[0], rtol=1e-6)


@pytest.mark.parametrize("loss", [["mae", "mse"], [], {"output": "mae"}])
def test_several_losses_are_refused(loss):
    with pytest.raises(ValueError, match="one output.*Received: loss="):
        InDI(small_network()).compile(keras.optimizers.SGD(0.0), loss)


# === Arguments ===


def test_arguments_by_position(data):
    named, placed = InDI(small_network(), seed=3), InDI(small_network(), seed=3)
    named.compile(
        keras.optimizers.SGD(1e-3), loss="mse", loss_weights=2.0, metrics=["mae"]
    )
    placed.compile(keras.optimizers.SGD(1e-3), "mse", 2.0, ["mae"])
    calls = []
    count = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: calls.append(epoch)
    )
    first = named.fit(*data, batch_size=4, epochs=2, verbose=0, shuffle=False)
    second = placed.fit(*data, 4, 2, 0, [count], 0.0, data, False)
    assert calls == [0, 1] and "val_mae" in second.history
    for name, values in first.history.items():
        np.testing.assert_allclose(second.history[name], values, rtol=1e-5)
    with pytest.raises(ValueError, match="Received: degraded of shape"):
        placed.fit(*data, 4, 2, 0, None, 0.0, (data[0][0], data[1][0]))
    with pytest.raises(TypeError, match="epoch"):
        placed.fit(*data, epoch=2)


# === A loss of a subclass ===


@pytest.mark.parametrize("metrics", [None, ["mae"]])
def test_the_loss_of_a_subclass_may_read_times(data, metrics):
    class Weighted(InDI):
        def compute_loss(
            self, x=None, y=None, y_pred=None, sample_weight=None, training=True
        ):
            weights = 0.0 * x["times"] + 3.0
            return super().compute_loss(x, y, y_pred, weights, training)

    model, stock = Weighted(small_network(), seed=3), InDI(small_network(), seed=3)
    losses = []
    for each in (model, stock):
        each.compile(keras.optimizers.SGD(0.0), metrics=metrics)
        history = each.fit(
            *data, validation_data=data, batch_size=4, epochs=1, **QUIET
        ).history
        losses.append([history["loss"][0], history["val_loss"][0]])
    np.testing.assert_allclose(losses[0], 3 * np.array(losses[1]), rtol=1e-5)
