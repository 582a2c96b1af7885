"""Quantization: clipped, and to the nearest of its levels."""

import numpy as np
import pytest

from keras_indi.data.degradations import Compose, GaussianNoise, Quantization

pytestmark = pytest.mark.backend_free


def test_of_one_bit_is_a_threshold():
    values = np.array([-3.0, 0.0, 0.4, 0.6, 1.0, 7.0], "float32")[:, None, None]
    found = Quantization(1)(values, seed=0)
    np.testing.assert_array_equal(found[:, 0, 0], [0, 0, 0, 1, 1, 1])


@pytest.mark.parametrize("bits", [2, 5, 8])
def test_errors_are_at_most_half_a_step_and_the_levels_as_many_as_said(bits):
    values = np.linspace(0, 1, 5001, dtype="float32")[:, None, None]
    found = Quantization(bits)(values, seed=0)
    assert len(np.unique(found)) == 2**bits
    assert found.min() == 0 and found.max() == 1
    half = 0.5 / (2**bits - 1)
    assert 0.99 * half < np.abs(found - values).max() < half + 1e-6


@pytest.mark.parametrize("dtype, bits", [("uint8", 8), ("uint16", 16)])
def test_an_image_of_as_many_bits_stays(dtype, bits):
    image = np.arange(2**bits).reshape(2**8, -1, 1).astype(dtype)
    np.testing.assert_array_equal(Quantization(bits)(image, seed=0), image)


def test_noise_of_float_images_becomes_that_of_files():
    image = np.random.default_rng(0).integers(256, size=(64, 64, 3), dtype="uint8")
    in_a_file = GaussianNoise(50)(image, seed=1)
    degrade = Compose([GaussianNoise(50), Quantization()])
    found = degrade(image.astype("float32"), seed=1, value_range=(0, 255))
    np.testing.assert_allclose(found, in_a_file, atol=1e-3)
    unclipped = GaussianNoise(50)(image.astype("float32"), 1, value_range=(0, 255))
    assert unclipped.min() < -50 and unclipped.max() > 305


@pytest.mark.parametrize("bits", [0, 17, 8.0, "8", None])
def test_bad_bits(bits):
    with pytest.raises(ValueError, match="Received: bits="):
        Quantization(bits)
