"""How `restore` reaches the network."""

import inspect

import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import small_network

from keras_indi import process
from keras_indi.inference import engine
from keras_indi.models import ConditionalDDPM, InDI
from keras_indi.samplers import Sampler


class Traced(keras.layers.Layer):
    """Notes the functions of the package between `restore` and its call."""

    condition_on_degraded = True

    def __call__(self, *args, **kwargs):
        names = [
            frame.function
            for frame in inspect.stack(0)
            if frame.frame.f_globals["__name__"].startswith("keras_indi.")
        ]
        if "run" in names:  # and so this is no call that builds
            self.between = names[::-1][1:]
        return super().__call__(*args, **kwargs)

    def call(self, inputs):
        return 0.5 * inputs["images"]


@pytest.mark.skipif(
    keras.config.backend() != "torch", reason="others call what they compiled"
)
@pytest.mark.parametrize("model_class", [InDI, ConditionalDDPM])
def test_few_functions_lie_between_restore_and_the_network(model_class):
    backbone = Traced()
    model = model_class(backbone)
    model.restore(np.ones((8, 8, 3), "float32"), num_steps=2)
    # The engine's `restore`, and so on.
    expected = ["restore", "run", "move", "step", "estimate"]
    assert backbone.between == expected


class PixelWeights(Sampler):
    """Moves to the estimate plus a value a pixel; counts how often it is compiled."""

    compiled = 0

    def __init__(self, weights):
        self.weights = weights

    def get_config(self):
        return {"weights": self.weights}

    def step(self, predict, images, times, next_times, memory):
        type(self).compiled += 1
        target = predict(images, times) + self.weights
        return process.update(images, target, times, next_times), memory


def test_samplers_that_differ_inside_a_large_array_share_no_rule():
    model = InDI(ConstantEstimate(), value_range=None)
    image = np.zeros((40, 40, 1), "float32")
    for value in (1.0, 2.0, 3.0):
        weights = np.zeros((40, 40, 1), "float32")
        weights[20, 20] = value
        restored = model.restore(image, num_steps=1, sampler=PixelWeights(weights))
        np.testing.assert_array_equal(restored, weights)


@pytest.mark.skipif(keras.config.backend() == "torch", reason="compiles nothing")
def test_no_more_rules_are_kept_than_were_used_last():
    model = InDI(ConstantEstimate(), value_range=None)
    image = np.zeros((4, 4, 1), "float32")

    def compilations(value):
        before = PixelWeights.compiled
        restored = model.restore(image, num_steps=2, sampler=PixelWeights(value))
        np.testing.assert_allclose(restored, value, rtol=1e-6)
        return PixelWeights.compiled - before

    values = [float(value) for value in range(engine.KEPT_RULES)]
    assert all(compilations(value) == 1 for value in values)
    assert all(compilations(value) == 0 for value in values)
    assert compilations(100.0) == 1
    assert compilations(0.0) == 1  # thrown away
    assert compilations(100.0) == 0


def test_new_variables_of_the_network_are_used():
    network = small_network()
    model = InDI(network)
    image = np.full((8, 8, 3), 100, "float32")
    before = model.restore(image, num_steps=2)
    (first,) = (layer for layer in network.layers if getattr(layer, "filters", 0) == 4)
    first.enable_lora(2)
    first.lora_kernel_b.assign(np.ones(first.lora_kernel_b.shape))
    found = model.restore(image, num_steps=2)
    assert np.abs(found - before).max() > 1
    np.testing.assert_array_equal(found, InDI(network).restore(image, num_steps=2))
