"""The time shift: the network is asked at min(1, k t), the sampler at t."""

import keras
import numpy as np
import pytest
from helpers import smooth_images, tiny_unet, walk
from keras import ops

from keras_indi.models import InDI
from keras_indi.samplers import BUILTIN
from keras_indi.schedules import time_grid as time_grids

GRIDS = ["uniform", "power", "cosine", [1.0, 0.7, 0.3, 0.1, 0.0]]
NUM_STEPS = 4
SHIFTS = [0.6, 1.0, 1.7]


@keras.saving.register_keras_serializable(package="tests")
class Times(keras.layers.Layer):
    """F = t, and a share of the state: an answer that tells when it was asked."""

    def __init__(self, share=0.0, **kwargs):
        super().__init__(**kwargs)
        self.share = share

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        return self.share * inputs["images"] + times


@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_the_network_is_asked_at_the_shifted_times(grid):
    model = InDI(Times(), value_range=None)
    image = np.full((1, 2, 1), 3.0, "float32")
    times = time_grids.get(grid)(NUM_STEPS)
    for shift in SHIFTS:
        states = model.restore(
            image, NUM_STEPS, "indi", grid, shift, return_trajectory=True
        )
        # The answers, from x_s = (1 - s/t) F + (s/t) x_t with the true t and s.
        ratio = (times[1:] / times[:-1])[:, None, None, None]
        answers = (states[1:] - ratio * states[:-1]) / (1 - ratio)
        expected = np.minimum(1.0, shift * times[:-1])[:, None, None, None]
        np.testing.assert_allclose(answers, expected + 0 * answers, atol=2e-6)


@pytest.mark.parametrize("sampler", sorted(BUILTIN))
@pytest.mark.parametrize("grid", GRIDS, ids=str)
def test_samplers_move_by_the_true_times(sampler, grid):
    backbone = Times(0.5)
    model = InDI(backbone, value_range=None)
    image = smooth_images(1, 2, 3, high=1.0)
    times = time_grids.get(grid)(NUM_STEPS)
    results = []
    for shift in SHIFTS:

        def predict(images, asked, shift=shift):
            return 0.5 * images + ops.minimum(1.0, shift * asked)

        results.append(model.restore(image, NUM_STEPS, sampler, grid, shift))
        expected = walk(BUILTIN[sampler](), predict, image, times)
        np.testing.assert_allclose(results[-1], expected, atol=2e-6)
    assert np.abs(results[2] - results[1]).min() > 0.03
    unshifted = model.restore(image, NUM_STEPS, sampler, grid)
    np.testing.assert_array_equal(results[1], unshifted)


def test_it_is_part_of_the_defaults():
    model = InDI(tiny_unet(gain=0.7), noise_schedule=0.02)
    image = smooth_images(1, 8, 8)[0]
    expected = model.restore(image, 3, time_shift=1.7, seed=0)
    unshifted = model.restore(image, 3, seed=0)
    assert np.abs(expected - unshifted).max() > 1
    model.restore_defaults = {"time_shift": 1.7}
    np.testing.assert_array_equal(model.restore(image, 3, seed=0), expected)
    found = model.restore(image, 3, time_shift=1, seed=0)
    np.testing.assert_array_equal(found, unshifted)


# In memory and on disk.
@pytest.mark.parametrize("budget", [{"tile_size": 48}, {"max_memory": 1_000_000}])
@pytest.mark.parametrize(
    "sampler, noise", [("indi", "brownian"), ("heun", 0.02), ("multistep", 0.02)]
)
def test_tiles_restore_the_same_image_as_whole(budget, sampler, noise):
    network = tiny_unet(
        channel_multipliers=(1, 1), gain=0.8, condition_on_degraded=True
    )
    model = InDI(network, noise_schedule=noise, value_range=(0, 1))
    image = smooth_images(1, 53, 89, high=1.0)[0]
    arguments = {"num_steps": 3, "sampler": sampler, "seed": 3}
    arguments["return_trajectory"] = True
    whole = model.restore(image, tile_size=None, time_shift=1.7, **arguments)
    tiled = model.restore(image, time_shift=1.7, **budget, **arguments)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)
    unshifted = model.restore(image, tile_size=None, **arguments)
    assert np.abs(whole - unshifted).max() > 1e-2
