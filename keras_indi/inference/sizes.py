"""Images as users hold them: checked, padded, and given back as they came."""

import numpy as np
from keras import ops

# Resampled photographs overshoot their range a little; more is a mistake.
RANGE_TOLERANCE = 0.1


def check_image(image, value_range, channels, argument="images"):
    """Raises a ValueError unless an image, or a batch of them, can be restored.

    Args:
        image: NumPy array of shape `(height, width, channels)` or
            `(batch, height, width, channels)`.
        value_range: Pair of floats, the smallest and largest value, or `None`.
        channels: Int, the number of channels wanted, or `None` for any.
        argument: The caller's name of the image, for the message.

    Raises:
        ValueError: On a wrong rank or number of channels, an empty array, a
            dtype that is not numeric, integers with a float range, NaN or
            infinity, or values outside the range by more than a tenth of it.
    """
    received = f"Received: {argument} of shape {image.shape} and dtype {image.dtype}"
    if image.ndim not in (3, 4):
        raise ValueError(
            f"`{argument}` must have shape (height, width, channels) or (batch, "
            "height, width, channels); a grey image needs an axis of 1 channel. "
            + received
        )
    if image.size == 0:
        raise ValueError(f"`{argument}` must not be empty. {received}")
    if channels is not None and image.shape[-1] != channels:
        raise ValueError(
            f"The model restores images of {channels} channel(s), with the "
            f"channels last. {received}"
        )
    integers = np.issubdtype(image.dtype, np.integer)
    if not (integers or _is_float(image.dtype)):
        raise ValueError(f"`{argument}` must hold integers or floats. {received}")
    if value_range is None:
        low = high = None
    else:
        low, high = value_range
        if integers and high - low <= 2:
            raise ValueError(
                f"Integer images cannot use the float range {value_range}. Divide "
                "them into that range, or build the model with their own range, "
                f"such as (0, 255). {received}, value_range={value_range}"
            )
    if not integers and not np.all(np.isfinite(image)):
        raise ValueError(
            f"`{argument}` must be finite. {received}, with "
            f"{np.count_nonzero(~np.isfinite(image))} values NaN or infinite"
        )
    if value_range is not None:
        tolerance = RANGE_TOLERANCE * (high - low)
        least, most = float(image.min()), float(image.max())
        if least < low - tolerance or most > high + tolerance:
            raise ValueError(
                f"`{argument}` must lie in the model's value_range={value_range}. "
                "Rescale the images, or build the model with their range. "
                f"{received}, values from {least:g} to {most:g}"
            )


def as_list(images):
    """One array, or a list of them, as a list of NumPy arrays."""
    if not isinstance(images, (list, tuple)):
        return [ops.convert_to_numpy(images)]
    if not images:
        raise ValueError(f"`images` must not be empty. Received: images={images!r}")
    return [ops.convert_to_numpy(image) for image in images]


def pad_to_multiple(image, multiple):
    """Pads an image below and to the right by reflection.

    Args:
        image: Array of shape `(height, width, channels)`.
        multiple: Int; height and width of the result are multiples of it.

    Returns:
        The image itself, or a padded copy.
    """
    height, width, _ = image.shape
    padding = (-height % multiple, -width % multiple)
    if padding == (0, 0):
        return image
    return np.pad(image, ((0, padding[0]), (0, padding[1]), (0, 0)), mode="reflect")


def like_input(restored, dtype, value_range):
    """Clips a restored image to the range and gives it the input's dtype.

    Integers are rounded; without a value range, integers clip to their dtype's.
    """
    integers = np.issubdtype(dtype, np.integer)
    if value_range is not None:
        restored = np.clip(restored, *value_range)
    elif integers:
        limits = np.iinfo(dtype)
        restored = np.clip(restored, limits.min, limits.max)
    return (np.rint(restored) if integers else restored).astype(dtype)


def _is_float(dtype):
    # bfloat16 is a NumPy extension type that np.issubdtype does not know.
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"
