"""Shot and read noise: the moments of a sum of a Poisson and a normal variable."""

import numpy as np
import pytest
from scipy import stats
from skimage import color

from keras_indi.data.degradations import PoissonGaussianNoise, kernels

pytestmark = pytest.mark.backend_free


@pytest.mark.parametrize("white, read_noise", [(20, 0), (300, 5), (5000, 30)])
@pytest.mark.parametrize("value", [0.0, 0.1, 0.5, 1.0])
def test_moments(white, read_noise, value):
    image = np.full((200, 200, 1), value, "float32")
    noise = PoissonGaussianNoise(white, read_noise)(image, seed=0) - value
    variance = value / white + (read_noise / white) ** 2
    if variance == 0:
        assert np.all(noise == 0)
        return
    # The variance of a sample variance: (fourth moment - variance^2) / count.
    fourth = 3 * variance**2 + value / white**3
    bound = 5 / np.sqrt(image.size)
    assert abs(noise.mean()) < bound * np.sqrt(variance)
    assert abs(noise.var() - variance) < bound * np.sqrt(fourth - variance**2)
    # Poisson's skewness, which a normal variable lacks.
    third = np.mean((noise - noise.mean()) ** 3)
    assert abs(third - value / white**2) < bound * np.sqrt(24) * variance**1.5


def test_without_read_noise_it_counts_electrons():
    image = np.full((100, 100, 1), 0.25, "float32")
    electrons = PoissonGaussianNoise(40, 0)(image, seed=0) * 40
    np.testing.assert_allclose(electrons, np.rint(electrons), atol=1e-4)
    counts = np.bincount(np.rint(electrons).astype(int).ravel(), minlength=31)
    expected = stats.poisson(10).pmf(np.arange(4, 19)) * image.size
    assert np.all(np.abs(counts[4:19] - expected) < 5 * np.sqrt(expected))


def test_in_linear_light_the_noise_falls_on_light():
    stored = 0.5
    light = color.rgb2xyz(np.full((1, 1, 3), stored))[0, 0, 1]
    image = np.full((300, 300, 1), stored, "float32")
    white = 20000
    noise = PoissonGaussianNoise(white, 0, linear_light=True)(image, seed=0) - stored
    # Small noise passes through the slope of the transfer function there.
    step = 1e-4
    above = color.rgb2xyz(np.full((1, 1, 3), stored + step))[0, 0, 1]
    expected = np.sqrt(light / white) * step / (above - light)
    assert abs(noise.std() / expected - 1) < 0.02


@pytest.mark.parametrize("correlation", [0.4, 1.0])
@pytest.mark.parametrize("value", [0.0, 0.5])
def test_correlated_noise_has_the_same_moments(correlation, value):
    image = np.full((200, 200, 1), value, "float32")
    noise = PoissonGaussianNoise(50, 3, correlation=correlation)(image, 0) - value
    variance = value / 50 + (3 / 50) ** 2
    count = image.size / (1 + 4 * np.pi * correlation**2)
    assert abs(noise.mean()) < 5 * np.sqrt(variance / count)
    assert abs(noise.var() / variance - 1) < 5 * np.sqrt(2 / count)
    kernel = kernels.gaussian(correlation)
    alike = np.convolve(kernel, kernel)
    neighbours = np.mean(noise[1:] * noise[:-1]) / noise.var()
    assert abs(neighbours - alike[len(kernel)] / alike.max()) < 0.03


def test_correlated_noise_keeps_edges_sharp():
    image = np.repeat(np.float32([[0.1], [0.9]]), 50, 0)[..., None].repeat(50, 1)
    draws = [
        PoissonGaussianNoise(5000, 0, correlation=2)(image, seed) for seed in range(100)
    ]
    np.testing.assert_allclose(np.mean(draws, 0), image, atol=0.01)


def test_monochromatic_noise_is_that_of_the_mean_of_the_channels():
    image = np.broadcast_to(np.float32([0.1, 0.2, 0.6]), (200, 200, 3))
    noise = PoissonGaussianNoise(100, 2, monochromatic=True)(image, seed=0) - image
    np.testing.assert_allclose(noise, noise[..., :1].repeat(3, -1), atol=1e-6)
    expected = 0.3 / 100 + (2 / 100) ** 2
    assert abs(noise[..., 0].var() / expected - 1) < 5 * np.sqrt(2 / 200**2)
