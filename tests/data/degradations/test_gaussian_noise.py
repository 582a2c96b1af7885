"""Gaussian noise: its moments, and its independence."""

import numpy as np
import pytest
from scipy import stats

from keras_indi.data.degradations import GaussianNoise

pytestmark = pytest.mark.backend_free

GREY = np.full((200, 200, 3), 0.4, "float32")


@pytest.mark.parametrize("sigma", [5.0, 25.0, 50.0])
def test_moments(sigma):
    noise = GaussianNoise(sigma)(GREY, seed=0) - GREY
    deviation, count = sigma / 255, noise.size
    assert abs(noise.mean()) < 5 * deviation / np.sqrt(count)
    assert abs(noise.var() / deviation**2 - 1) < 5 * np.sqrt(2 / count)
    assert stats.kstest(noise.ravel() / deviation, "norm").pvalue > 1e-3


def test_it_is_white_in_space_and_over_channels():
    noise = GaussianNoise(25)(GREY, seed=0) - GREY
    bound = 5 / np.sqrt(noise.size)
    for shift in [(1, 0, 0), (0, 1, 0), (0, 0, 1), (1, 1, 1)]:
        moved = np.roll(noise, shift, (0, 1, 2))
        assert abs(np.mean(noise * moved)) / noise.var() < bound


@pytest.mark.parametrize("dtype, white", [("uint8", 255), ("uint16", 65535)])
def test_sigma_is_in_8_bit_levels_whatever_the_dtype(dtype, white):
    image = np.full((200, 200, 1), white // 2, dtype)
    noise = GaussianNoise(25)(image, seed=1) / white - image / white
    assert abs(noise.std() * 255 - 25) < 5 * 25 / np.sqrt(2 * image.size)


def test_a_range_is_drawn_evenly():
    sigmas = [255 * GaussianNoise((10, 50))(GREY, seed).std() for seed in range(200)]
    spread = stats.kstest(sigmas, stats.uniform(10, 40).cdf)
    assert spread.pvalue > 1e-3
    assert min(sigmas) > 9.9 and max(sigmas) < 50.1
