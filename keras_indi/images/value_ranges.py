"""Value ranges of 8-bit and 16-bit integers and floats, and conversion of them."""

from typing import Any

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.validation import checked_choice

RANGES = {"uint8": (0, 255), "uint16": (0, 65535), "float32": (0, 1)}


def range_of_dtype(dtype: str, value_range: ValueLimits | None) -> ValueLimits:
    """Return the value range of images of a dtype.

    Args:
        dtype: `"uint8"`, `"uint16"` or `"float32"`.
        value_range: Pair of numbers, values of black and white. Defaults to the range
            of the dtype: (0, 255), (0, 65535) or (0, 1). Only floats support others.

    Returns:
        Pair of numbers.

    Raises:
        ValueError: If the dtype or the range is not supported.
    """
    checked_choice("dtype", dtype, RANGES)
    if value_range is None:
        return RANGES[dtype]
    low, high = value_range
    integers_differ = dtype != "float32" and (low, high) != RANGES[dtype]
    if integers_differ or not low < high:
        raise ValueError(
            "`value_range` must be increasing, and be None or (0, 255) for uint8, None "
            f"or (0, 65535) for uint16. Received: dtype={dtype!r}, "
            f"value_range={value_range!r}"
        )
    return low, high


def convert(image: np.ndarray, dtype: str, value_range: ValueLimits) -> np.ndarray:
    """Convert an image to another dtype and value range.

    Args:
        image: uint8 or uint16 array, of the dtype's full range, or float32 in [0, 1].
        dtype: `"uint8"`, `"uint16"` or `"float32"`.
        value_range: Pair of numbers, values of black and white in the result.

    Returns:
        Array of that dtype. Integers are rounded. Converting 8 bits to 16 and back is
        exact.

    Raises:
        ValueError: If floats lie outside [0, 1].
    """
    if image.dtype.kind == "f" and not (0 <= np.min(image) and np.max(image) <= 1):
        raise ValueError(
            "Floats of an image must lie in [0, 1]. Received: values from "
            f"{np.min(image)} to {np.max(image)}"
        )
    if image.dtype == dtype and (dtype != "float32" or tuple(value_range) == (0, 1)):
        return image
    low, high = value_range
    scale = (high - low) / full_range(image.dtype)
    converted = image.astype("float32") * np.float32(scale) + np.float32(low)
    if dtype != "float32":
        converted = np.rint(converted)
    return converted.astype(dtype, copy=False)


def full_range(dtype: Any) -> int:
    """Return the value of white: the largest integer of a dtype, 1 for floats."""
    dtype = np.dtype(dtype)
    return 1 if dtype.kind == "f" else np.iinfo(dtype).max


def as_integers(image: np.ndarray, dtype: Any, value_range: ValueLimits) -> np.ndarray:
    """Scale values to the full range of an integer dtype, clipped and rounded."""
    low, high = value_range
    most = np.iinfo(dtype).max
    return np.rint(np.clip((image - low) * (most / (high - low)), 0, most)).astype(
        dtype
    )
