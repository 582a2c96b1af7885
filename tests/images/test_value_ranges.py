"""Conversion between 8 bits, 16 bits and floats."""

import numpy as np
import pytest

from keras_indi.images.value_ranges import convert, range_of_dtype

pytestmark = pytest.mark.backend_free

BYTES = np.arange(256).astype("uint8")
WORDS = np.arange(65536).astype("uint16")


def test_8_bits_to_16_and_back_is_exact():
    words = convert(BYTES, "uint16", (0, 65535))
    np.testing.assert_array_equal(words, BYTES.astype(int) * 257)
    np.testing.assert_array_equal(convert(words, "uint8", (0, 255)), BYTES)


def test_16_bits_are_rounded_to_8():
    exact = WORDS / 257
    error = convert(WORDS, "uint8", (0, 255)) - exact
    assert np.max(np.abs(error)) <= 0.5


@pytest.mark.parametrize("image", [BYTES, WORDS], ids=["uint8", "uint16"])
@pytest.mark.parametrize("value_range", [(0, 1), (0, 255), (-1, 1)])
def test_floats_span_their_range(value_range, image):
    low, high = value_range
    floats = convert(image, "float32", value_range)
    assert floats.dtype == "float32"
    expected = np.linspace(low, high, len(image))
    np.testing.assert_allclose(floats, expected, rtol=0, atol=1e-6 * (high - low))


def test_defaults_and_refusals():
    assert range_of_dtype("uint8", None) == (0, 255)
    assert range_of_dtype("float32", None) == (0, 1)
    assert range_of_dtype("float32", (0, 255)) == (0, 255)
    for dtype, value_range in [
        ("float64", None),
        ("uint8", (0, 1)),
        ("uint16", (0, 255)),
        ("float32", (1, 0)),
    ]:
        with pytest.raises(ValueError, match="Received: dtype="):
            range_of_dtype(dtype, value_range)
