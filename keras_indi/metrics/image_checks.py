"""Checks of images that all metrics share."""

import numpy as np

from keras_indi.annotations import Shape, ValueLimits

# Fraction of the range by which float images may exceed it, because of rounding.
ROUNDING = 1e-5


def check_shape(
    shape: Shape,
    argument: str,
    channels: int | None = None,
    smallest: int = 1,
    why: str = "",
) -> None:
    """Raise a ValueError unless a batch of images has a valid shape.

    Args:
        shape: Tuple of ints, with `None` for unknown sizes.
        argument: String, argument name of the images.
        channels: Int, required number of channels, or `None` for any.
        smallest: Int, minimum height and width.
        why: String, reason for the minimum size.
    """
    received = f"Received: {argument} of shape {tuple(shape)}"
    if len(shape) != 4:
        raise ValueError(
            f"`{argument}` must have shape (batch, height, width, channels); a single "
            f"image needs an axis in front, `image[None]`. {received}"
        )
    if 0 in shape:
        raise ValueError(f"`{argument}` must not be empty. {received}")
    if channels and shape[-1] not in (None, channels):
        raise ValueError(
            f"`{argument}` must have {channels} channels, red, green and blue; make "
            "a grey image one with `np.repeat(image, 3, axis=-1)` if that is meant. "
            + received
        )
    if any(size is not None and size < smallest for size in shape[1:3]):
        raise ValueError(
            f"`{argument}` must be at least {smallest} pixels high and wide{why}. "
            + received
        )


def same_shape(first: Shape, second: Shape) -> bool:
    """Return whether two shapes are equal, ignoring unknown sizes."""
    return len(first) == len(second) and all(
        None in sizes or sizes[0] == sizes[1] for sizes in zip(first, second)
    )


def check_pair(clean_shape: Shape, restored_shape: Shape) -> None:
    """Raise a ValueError unless two batches of images have the same shape."""
    if not same_shape(clean_shape, restored_shape):
        raise ValueError(
            "Clean and restored images must have one shape; nothing is resized or "
            f"repeated to make them fit. Received: clean of shape "
            f"{tuple(clean_shape)}, restored of shape {tuple(restored_shape)}"
        )


def check_values(images: np.ndarray, value_range: ValueLimits, argument: str) -> None:
    """Raise a ValueError unless an array's values are finite and in the range.

    Floats in [0, 1] are refused for a range such as (0, 255), because they would be
    scored as nearly black images.
    """
    received = f"Received: {argument} of shape {images.shape} and dtype {images.dtype}"
    if not (images.dtype.kind in "biuf" or images.dtype.name == "bfloat16"):
        raise ValueError(f"`{argument}` must hold integers or floats. {received}")
    least, most = float(images.min()), float(images.max())
    if not np.isfinite([least, most]).all():
        raise ValueError(
            f"`{argument}` must be finite. {received}, with NaN or infinite values"
        )
    low, high = value_range
    tolerance = ROUNDING * (high - low)
    if least < low - tolerance or most > high + tolerance:
        raise ValueError(
            f"`{argument}` must lie in value_range={value_range}: clip the images, or "
            f"pass their range to the metric. {received}, values from {least:g} to "
            f"{most:g}"
        )
    fractions = 0 <= least and 0 < most <= 1 and np.any(np.mod(images, 1) != 0)
    if fractions and low == 0 and high >= 255:
        raise ValueError(
            f"`{argument}` looks like images in [0, 1], but value_range={value_range}. "
            f"Pass value_range=(0, 1) to the metric. {received}, values from {least:g} "
            f"to {most:g}"
        )
