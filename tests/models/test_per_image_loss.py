import json

import keras
import numpy as np
import pytest
from helpers import smooth_images, to_numpy

from keras_indi.models import PerImageLoss

CLEAN = smooth_images(4, 5, 6, seed=1, high=1.0)
ESTIMATE = smooth_images(4, 5, 6, seed=2, high=1.0)


@keras.saving.register_keras_serializable(package="tests")
def squared_difference(y_true, y_pred):
    return keras.ops.square(y_true - y_pred)


FORMULAS = {
    "mean_absolute_error": lambda d: np.abs(d),
    "mse": lambda d: d**2,
    "squared": lambda d: d**2,
    "huber": lambda d: np.where(np.abs(d) < 0.1, d**2 / 2, 0.1 * (np.abs(d) - 0.05)),
}
LOSSES = {
    "mean_absolute_error": "mean_absolute_error",
    "mse": keras.losses.MeanSquaredError(),
    "squared": squared_difference,
    "huber": keras.losses.Huber(delta=0.1),
}


@pytest.mark.parametrize("name", LOSSES)
def test_the_loss_is_the_mean_over_images_of_their_means(name):
    loss = PerImageLoss(LOSSES[name])
    difference = (CLEAN - ESTIMATE).astype("float64")
    per_image = FORMULAS[name](difference).mean(axis=(1, 2, 3))
    assert float(loss(CLEAN, ESTIMATE)) == pytest.approx(per_image.mean(), rel=1e-5)
    np.testing.assert_allclose(
        to_numpy(loss.call(CLEAN, ESTIMATE)), per_image, rtol=1e-5
    )
    weights = np.array([0.0, 1.0, 3.0, 0.0], "float32")
    found = float(loss(CLEAN, ESTIMATE, sample_weight=weights))
    # Keras's reduction divides by the number of images, whatever the weights.
    assert found == pytest.approx((weights * per_image).sum() / 4, rel=1e-5)


def test_reductions():
    per_image = np.abs(CLEAN - ESTIMATE).mean(axis=(1, 2, 3))
    none = PerImageLoss("mae", reduction=None)
    np.testing.assert_allclose(to_numpy(none(CLEAN, ESTIMATE)), per_image, rtol=1e-5)
    inherited = PerImageLoss(keras.losses.MeanAbsoluteError(reduction="sum"))
    assert float(inherited(CLEAN, ESTIMATE)) == pytest.approx(per_image.sum(), rel=1e-5)


# Not Huber: Keras's own `get_config` leaves out its delta.
@pytest.mark.parametrize("name", ["mean_absolute_error", "mse", "squared"])
def test_config_round_trip(name):
    loss = PerImageLoss(LOSSES[name], reduction="sum", name="mine")
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(loss)))
    again = keras.saving.deserialize_keras_object(serialized)
    assert isinstance(again, PerImageLoss)
    assert again.name == "mine" and again.reduction == "sum"
    assert float(again(CLEAN, ESTIMATE)) == float(loss(CLEAN, ESTIMATE))


def test_names_come_from_the_inner_loss():
    assert PerImageLoss().name == "mean_absolute_error"
    assert PerImageLoss(keras.losses.Huber()).name == "huber_loss"
    assert PerImageLoss(squared_difference).name == "squared_difference"


def test_unknown_losses_are_refused():
    with pytest.raises(ValueError, match="no_such_loss"):
        PerImageLoss("no_such_loss")
