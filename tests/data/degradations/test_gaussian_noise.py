"""Gaussian noise: its moments, and its independence."""

import numpy as np
import pytest
from scipy import stats

from keras_indi.data.degradations import GaussianNoise, kernels

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


@pytest.mark.parametrize("correlation", [0.3, 0.7, 1.5])
def test_correlated_noise_keeps_its_deviation_also_at_the_border(correlation):
    draws = [GaussianNoise(25, correlation)(GREY, seed) - GREY for seed in range(20)]
    variances = np.mean(np.square(draws), (0, 3)) / (25 / 255) ** 2
    for part in (variances, variances[:2], variances[:, -2:], variances[:9, :9]):
        # Of neighbours that are alike, fewer are independent.
        count = 60 * part.size / (1 + 4 * np.pi * correlation**2)
        assert abs(part.mean() - 1) < 5 * np.sqrt(2 / count)


@pytest.mark.parametrize("correlation", [0.5, 1.2])
def test_neighbours_are_alike_as_the_filter_makes_them(correlation):
    noise = GaussianNoise(25, correlation)(GREY, seed=0) - GREY
    kernel = kernels.gaussian(correlation)
    alike = np.convolve(kernel, kernel)
    alike = alike[len(kernel) - 1 :] / alike.max()
    for lag in range(3):
        for moved in (noise[lag:], noise[:, lag:]):
            rest = noise[: 200 - lag] if moved.shape[0] < 200 else noise
            rest = rest[: moved.shape[0], : moved.shape[1]]
            found = np.mean(moved * rest) / noise.var()
            assert abs(found - alike[lag]) < 0.02
    channels = np.corrcoef(noise.reshape(-1, 3).T)
    assert np.abs(channels - np.eye(3)).max() < 0.03


def test_an_image_of_one_pixel_has_correlated_noise_too():
    found = [GaussianNoise(255, 2.0)(GREY[:1, :1], seed) for seed in range(500)]
    assert abs(np.std(found) - 1) < 5 / np.sqrt(2 * 1500)


@pytest.mark.parametrize("correlation", [0.0, 0.8])
def test_monochromatic_noise_is_the_same_in_all_channels(correlation):
    noise = GaussianNoise(25, correlation, monochromatic=True)(GREY, seed=0) - GREY
    np.testing.assert_array_equal(noise, noise[..., :1].repeat(3, -1))
    assert abs(noise.std() * 255 / 25 - 1) < 0.03
    one = GaussianNoise(25, correlation)(GREY[..., :1], seed=0) - GREY[..., :1]
    np.testing.assert_array_equal(noise[..., :1], one)
