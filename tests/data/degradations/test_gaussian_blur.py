"""Gaussian blur, against SciPy's."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from keras_indi.data.degradations import GaussianBlur

pytestmark = pytest.mark.backend_free


@settings(max_examples=25)
@given(
    size=st.tuples(*[st.integers(1, 30)] * 2),
    channels=st.integers(1, 5),
    sigma=st.floats(0, 5),
)
def test_equals_scipys(size, channels, sigma):
    image = np.random.default_rng(0).random((*size, channels), dtype="float32")
    expected = ndimage.gaussian_filter(
        image, max(sigma, 1e-6), mode="mirror", truncate=4.0, axes=(0, 1)
    )
    found = GaussianBlur(sigma)(image, seed=0)
    np.testing.assert_allclose(found, expected, atol=2e-6)


def test_integers_are_rounded():
    image = np.random.default_rng(0).integers(0, 256, (20, 20, 3)).astype("uint8")
    expected = ndimage.gaussian_filter(
        image.astype("float64"), 1.2, mode="mirror", axes=(0, 1)
    )
    np.testing.assert_allclose(GaussianBlur(1.2)(image, 0), expected, atol=0.501)


def test_sigma_is_drawn_from_the_range():
    point = np.zeros((41, 41, 1), "float32")
    point[20, 20] = 1
    offsets = np.arange(41) - 20
    sigmas = []
    for seed in range(60):
        spread = GaussianBlur((1, 4))(point, seed)[..., 0].sum(axis=0)
        sigmas.append(np.sqrt(np.sum(spread * offsets**2)))
    assert 0.99 < min(sigmas) < 1.3 and 3.7 < max(sigmas) < 4.01
