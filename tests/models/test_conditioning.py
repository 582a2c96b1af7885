"""The degraded image as a second input of the network."""

import warnings

import numpy as np
import pytest
from helpers import pairs, small_network

from keras_indi.models import InDI
from keras_indi.schedules import BrownianNoise
from keras_indi.training import NETWORK, TrainingConfig
from keras_indi.training.training_run import build_model


def warnings_of_a_fit(conditioned, noise, value_range=(0, 255)):
    """The warnings of `fit` that are about the degraded image."""
    network = small_network(condition_on_degraded=conditioned)
    model = InDI(network, noise_schedule=noise, value_range=value_range)
    model.compile()
    degraded, clean = pairs(2, height=8, width=8)
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        model.fit(degraded, clean, verbose=0)
    return [w for w in shown if "condition_on_degraded" in str(w.message)]


@pytest.mark.parametrize(
    "noise", (0.0, 0.01, BrownianNoise(0.05)), ids=("none", "0.01", "Brownian")
)
def test_little_noise_beside_the_degraded_image_is_a_warning(noise):
    (warning,) = warnings_of_a_fit(True, noise)
    assert "noise_schedule` of 0.1 or more. Received: " in str(warning.message)
    assert warning.filename == __file__  # the line that calls `fit`


@pytest.mark.parametrize(
    "arguments",
    ((False, 0.0), (True, 0.1), (True, BrownianNoise(0.1)), (True, 0.0, None)),
    ids=("not conditioned", "0.1", "Brownian", "another unit"),
)
def test_else_there_is_no_warning(arguments):
    assert not warnings_of_a_fit(*arguments)


def test_without_noise_the_clean_image_is_known():
    """What the warning says: x = (x_t - t y) / (1 - t)."""
    degraded, clean = pairs(2, height=8, width=8)
    model = InDI(small_network(), noise_schedule=0.0, seed=0)
    example, _ = model.training_example(degraded, clean, draw=True)
    times = np.asarray(example["times"])[:, None, None, None]
    known = (np.asarray(example["images"]) - times * degraded) / (1 - times)
    np.testing.assert_allclose(known, clean, atol=0.05)


@pytest.mark.parametrize("network", (None, {"condition_on_degraded": True}))
def test_the_network_of_the_train_command(network):
    config = TrainingConfig(
        clean="clean", degradation="gaussian_noise", output="out", network=network
    )
    model = build_model(config)
    assert model.condition_on_degraded == bool(network)
    assert model.backbone.base_channels == NETWORK["base_channels"]
