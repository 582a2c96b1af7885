"""Kernels and convolution, against SciPy and brute force."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from keras_indi.data.degradations import kernels

pytestmark = pytest.mark.backend_free


def moments(kernel):
    """Centroid and covariance, (row, column), in pixels from the middle."""
    reach = kernel.shape[0] // 2
    grid = np.mgrid[-reach : reach + 1, -reach : reach + 1].reshape(2, -1)
    weights = kernel.astype("float64").ravel()
    mean = grid @ weights
    centred = grid - mean[:, None]
    return mean, (centred * weights) @ centred.T


@settings(max_examples=30)
@given(
    size=st.tuples(*[st.integers(1, 30)] * 2),
    channels=st.integers(1, 9),
    reach=st.tuples(*[st.integers(0, 12)] * 2),
    seed=st.integers(0, 9),
)
def test_convolution_equals_scipys(size, channels, reach, seed):
    rng = np.random.default_rng(seed)
    image = rng.random((*size, channels), dtype="float32")
    kernel = rng.random([2 * r + 1 for r in reach]).astype("float32")
    kernel /= kernel.sum()
    expected = ndimage.convolve(image, kernel[..., None], mode="mirror")
    found = kernels.convolve(image, kernel)
    assert found.shape == image.shape and found.dtype == np.float32
    np.testing.assert_allclose(found, expected, atol=2e-6)
    line = kernel[0] / kernel[0].sum()
    expected = ndimage.convolve1d(image, line, axis=0, mode="mirror")
    expected = ndimage.convolve1d(expected, line, axis=1, mode="mirror")
    np.testing.assert_allclose(kernels.convolve(image, line), expected, atol=2e-6)


def test_more_channels_than_opencv_takes():
    image = np.random.default_rng(0).random((5, 6, 700), dtype="float32")
    for kernel in (kernels.disc(1.5), kernels.gaussian(0.5)):
        found = kernels.convolve(image, kernel)
        for part in np.s_[..., :3], np.s_[..., 100:700:200]:
            expected = kernels.convolve(image[part].copy(), kernel)
            np.testing.assert_allclose(found[part], expected, atol=1e-6)


@pytest.mark.parametrize("sigma", [0.0, 0.3, 1.0, 3.7])
def test_gaussian(sigma):
    kernel = kernels.gaussian(sigma)
    assert abs(kernel.sum() - 1) < 1e-6
    assert len(kernel) == 2 * int(4 * sigma + 0.5) + 1
    np.testing.assert_array_equal(kernel, kernel[::-1])
    if sigma >= 1:
        offsets = np.arange(len(kernel)) - len(kernel) // 2
        assert abs(np.sum(kernel * offsets**2) / sigma**2 - 1) < 0.005


@pytest.mark.parametrize("radius", [0.6, 1.0, 1.5, 2.37, 5.0, 9.8])
def test_disc_covers_pixels_by_their_area(radius):
    kernel = kernels.disc(radius)
    assert abs(kernel.sum() - 1) < 1e-6
    assert kernel.shape == (2 * int(np.ceil(radius - 0.5)) + 1,) * 2
    # Brute force: the share of 64 x 64 points of each pixel.
    size = kernel.shape[0]
    points = (np.arange(size * 64) + 0.5) / 64 - size / 2
    inside = points[:, None] ** 2 + points**2 <= radius**2
    covered = inside.reshape(size, 64, size, 64).mean(axis=(1, 3))
    area = covered.sum()
    assert abs(area / (np.pi * radius**2) - 1) < 0.005
    np.testing.assert_allclose(kernel * area, covered, atol=0.02)
    mean, covariance = moments(kernel)
    np.testing.assert_allclose(mean, 0, atol=1e-6)
    if radius >= 5:  # where the pixels' grid no longer shows in a sum of squares
        expected = (radius**2 / 4 + 1 / 12) * np.eye(2)
        np.testing.assert_allclose(covariance, expected, rtol=0.005, atol=1e-5)
    np.testing.assert_array_equal(kernel, kernel.T)
    np.testing.assert_allclose(kernel, kernel[::-1], atol=1e-7)


@pytest.mark.parametrize("radius", [0.0, 0.2, 0.5])
def test_a_disc_within_a_pixel_is_the_pixel(radius):
    np.testing.assert_array_equal(kernels.disc(radius), [[1]])


@given(
    corners=st.lists(
        st.tuples(*[st.floats(-6, 6, allow_subnormal=False)] * 2),
        min_size=2,
        max_size=5,
    )
)
def test_path_equals_brute_force(corners):
    corners = np.array(corners)
    kernel = kernels.path(corners)
    assert kernel.min() >= 0 and abs(kernel.sum() - 1) < 1e-5
    # Each moment of the exposure falls on the pixels that lie less than 1 apart.
    steps = np.linspace(0, len(corners) - 1, 4001)
    moving = [np.interp(steps, np.arange(len(corners)), axis) for axis in corners.T]
    reach = kernel.shape[0] // 2
    pixels = np.arange(-reach, reach + 1)
    row, column = (np.maximum(1 - np.abs(pixels[:, None] - m), 0) for m in moving)
    expected = np.einsum("it,jt->ij", row, column) / len(steps)
    np.testing.assert_allclose(kernel, expected, atol=3e-3)
    middles = (corners[1:] + corners[:-1]) / 2
    np.testing.assert_allclose(moments(kernel)[0], middles.mean(axis=0), atol=1e-4)
