"""The range of images' values, and their scaling to [-1, 1] and back."""

import dataclasses

import numpy as np
import pytest
from helpers import to_numpy

from keras_indi.value_range import ValueRange

IMAGES = np.linspace(-20, 300, 65).astype("float32")


@pytest.mark.parametrize("limits", [(0, 255), (-1, 1), (0, 1), (16, 235)])
def test_its_ends_are_minus_one_and_one(limits):
    value_range = ValueRange(limits)
    low, high = limits
    assert value_range.limits == (float(low), float(high))
    assert value_range.half_width == (high - low) / 2
    ends = to_numpy(value_range.to_unit(np.array([low, 0.5 * (low + high), high])))
    np.testing.assert_allclose(ends, [-1, 0, 1], atol=1e-6)
    unit = to_numpy(value_range.to_unit(IMAGES.astype("uint8")))
    expected = 2 * (IMAGES.astype("uint8") - np.float64(low)) / (high - low) - 1
    np.testing.assert_allclose(unit, expected, rtol=1e-6, atol=1e-6)
    back = to_numpy(value_range.from_unit(value_range.to_unit(IMAGES)))
    np.testing.assert_allclose(back, IMAGES, atol=1e-4)
    assert back.dtype == unit.dtype == "float32"
    np.testing.assert_array_equal(value_range.clip(IMAGES), np.clip(IMAGES, low, high))


def test_without_limits_nothing_is_scaled():
    value_range = ValueRange(None)
    assert value_range.limits is None and value_range.half_width == 1
    for scaled in (value_range.to_unit, value_range.from_unit, value_range.clip):
        np.testing.assert_array_equal(to_numpy(scaled(IMAGES)), IMAGES)


@pytest.mark.parametrize(
    "limits", [(1, 0), (1, 1), (0, 1, 2), 255, "range", (0, "a"), (0, np.inf)]
)
def test_what_is_no_range_is_told(limits):
    with pytest.raises(
        ValueError, match="`value_range` must be .*or None.* Received: value_"
    ):
        ValueRange(limits)


def test_it_does_not_change():
    value_range = ValueRange((0, 255))
    with pytest.raises(dataclasses.FrozenInstanceError):
        value_range.limits = (0, 1)
    assert value_range == ValueRange([0.0, 255.0])
