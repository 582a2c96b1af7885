"""The shift between two images, where it is known."""

import numpy as np
import pytest
from helpers import smooth_images
from scipy import ndimage

from keras_indi.data.degradations import (
    Downsample,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
)
from keras_indi.data.shift import measure_shift

pytestmark = pytest.mark.backend_free


def textured(height=96, width=112):
    """Waves of several frequencies, and structure as photographs have it."""
    rng = np.random.default_rng(2)
    blocks = ndimage.zoom(rng.uniform(0, 1, (12, 14)), 8, order=0)
    waves = smooth_images(1, height, width, 1, seed=1)[0, ..., 0] / 255
    return ndimage.gaussian_filter(0.6 * blocks + 0.4 * waves, 1).astype("float32")


@pytest.mark.parametrize("shift", [(0, 0), (0.5, 0), (1.3, -2.6), (-4, 3.25)], ids=str)
@pytest.mark.parametrize(
    "degradation, tolerance",
    [
        (None, 0.05),
        (GaussianNoise(25), 0.15),
        (GaussianBlur(2.0), 0.15),
        (JPEGCompression(20), 0.15),
        (Downsample(4), 0.15),
    ],
    ids=["none", "noise", "blur", "jpeg", "downsample"],
)
def test_known_shifts_are_found(degradation, tolerance, shift):
    clean = textured()
    degraded = ndimage.shift(clean, shift, order=3, mode="mirror")
    if degradation is not None:
        degraded = degradation(degraded[..., None], 0)[..., 0]
    found = measure_shift(degraded, clean)
    assert np.hypot(*np.subtract(found, shift)) < tolerance


def test_along_stripes_no_shift_is_seen():
    rows, columns = np.mgrid[:80, :80]
    phase = (rows + 2 * columns) / np.sqrt(5)  # pixels across the stripes
    noise = np.random.default_rng(0).normal(0, 0.05, (2, 80, 80))

    def stripes(shift):
        return np.sin(0.8 * (phase - shift) + np.sin(0.3 * (phase - shift)))

    clean, degraded = (stripes(0) + noise[0], stripes(1.5) + noise[1])
    found = measure_shift(degraded.astype("float32"), clean.astype("float32"))
    np.testing.assert_allclose(found, 1.5 * np.array([1, 2]) / np.sqrt(5), atol=0.1)


def test_flat_images_tell_nothing():
    flat = np.full((32, 32), 0.5, "float32")
    assert np.all(np.isnan(measure_shift(flat, flat)))
