"""`sampler_noise`: what `restore` draws with a seed."""

import numpy as np
import pytest
from helpers import tiny_unet

from keras_indi.data.degradations import GaussianNoise
from keras_indi.export import sampler_noise
from keras_indi.models import InDI

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize("seed", [0, 7, 2**40])
def test_a_seed_draws_other_noise_than_that_which_degraded_the_image(seed):
    # People pass one seed to both. A start that repeats the noise of the image shows
    # the network a state that it has never seen, and many steps end decibels lower.
    model = InDI(tiny_unet(), noise_schedule=0.1, value_range=(0, 255))
    drawn = sampler_noise(model, 64, 48, seed=seed)[0, 0].ravel()
    assert abs(drawn.std() - 1) < 0.05
    grey = np.full((64, 48, 3), 127.0, "float32")
    noise = GaussianNoise(25)(grey, seed, (0, 255)) - grey
    generators = [np.random.default_rng(entropy) for entropy in (seed, (seed, 0))]
    streams = [random.standard_normal((64, 48, 3), "float32") for random in generators]
    for other in (noise, *streams):
        assert abs(np.corrcoef(drawn, other.ravel())[0, 1]) < 0.05
