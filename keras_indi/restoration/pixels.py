"""Restore pixels of files with models of any channels and value range."""

from typing import Any

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.data.resize import resize
from keras_indi.images.channels import to_channels
from keras_indi.images.value_ranges import as_integers, convert
from keras_indi.inference.inputs import like_input
from keras_indi.models.restorer import Restorer
from keras_indi.value_range import ValueRange


def restore_pixels(
    model: Restorer, pixels: np.ndarray, num_samples: int | None = None, **options: Any
) -> np.ndarray:
    """Restore an image with values as stored in files.

    A model of three channels restores grey images as RGB, and the result is converted
    back to grey. A model of one channel restores each channel of a colour image
    separately.

    Args:
        model: A `keras_indi.models.Restorer`.
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, or float32
            in [0, 1].
        num_samples: As for `model.restore`.
        **options: Further arguments of `model.restore`.

    Returns:
        Array of the same dtype, with the height and width of the image times the
        model's scale. If `num_samples` is given, it has a leading axis of samples.

    Raises:
        ValueError: If the model has neither one nor three channels, or an option is
            not valid.
    """
    planes = model_images(model, pixels)
    images = planes if len(planes) > 1 else planes[0]
    restored = model.restore(images, num_samples=num_samples, **options)
    restored = restored if len(planes) > 1 else [restored]
    return file_pixels(model, restored, pixels)


def model_images(model: Restorer, pixels: np.ndarray) -> list[np.ndarray]:
    """Convert an image with values as stored in files to inputs of a model.

    Args:
        model: A `keras_indi.models.Restorer`.
        pixels: As for `restore_pixels`.

    Returns:
        List of float32 arrays in the model's value range: the image with the model's
        channels, or each channel of a colour image for a model of one channel.

    Raises:
        ValueError: If the model has neither one nor three channels.
    """
    channels = model.image_channels or pixels.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            "The model must take images of 1 or 3 channels to restore files. "
            f"Received: a model with image_channels={channels}"
        )
    image = in_model_range(pixels, model.value_range)
    if channels == 3 and image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    if image.shape[-1] > channels:
        return [image[..., c : c + 1] for c in range(image.shape[-1])]
    return [image]


def file_pixels(
    model: Restorer, restored: list[np.ndarray], pixels: np.ndarray
) -> np.ndarray:
    """Convert restored `model_images` back to values as stored in files.

    Args:
        model: A `keras_indi.models.Restorer`.
        restored: List of arrays `([num_samples,] height, width, channels)`.
        pixels: The image that was restored.

    Returns:
        As for `restore_pixels`.
    """
    joined = np.concatenate(restored, axis=-1) if len(restored) > 1 else restored[0]
    joined = in_file_range(joined, pixels.dtype, model.value_range)
    if joined.ndim == 3:
        return to_channels(joined, pixels.shape[-1])
    return np.stack([to_channels(draw, pixels.shape[-1]) for draw in joined])


def resized_alpha(alpha: np.ndarray | None, pixels: np.ndarray) -> np.ndarray | None:
    """Resize an alpha channel to the size of restored pixels, bilinear."""
    if alpha is None:
        return None
    height, width = pixels.shape[:2]
    return resize(alpha[..., None], height, width, "bilinear")[..., 0]


def in_model_range(
    pixels: np.ndarray,
    value_range: tuple | None,
    file_range: ValueLimits = (0, 1),
) -> np.ndarray:
    """Convert pixels of a file to float32 in a model's value range.

    The full range of 8 and 16 bits, and `file_range` of floats, is scaled to the
    model's range, or to (0, 1) if it has none. Values of other dtypes are not scaled.
    Neither are 16-bit values if the model's range is wider than 8 bits, such as the 12
    bits of a camera.
    """
    if _are_the_models(pixels.dtype, value_range):
        return pixels.astype("float32")
    if pixels.dtype.kind == "f":
        low, high = file_range
        pixels = (pixels.astype("float32") - np.float32(low)) / np.float32(high - low)
    return convert(pixels, "float32", value_range or (0, 1))


def in_file_range(
    restored: np.ndarray,
    dtype: np.dtype,
    value_range: tuple | None,
    file_range: ValueLimits = (0, 1),
) -> np.ndarray:
    """Invert `in_model_range`: convert to the file's dtype, clipped and rounded."""
    if _are_the_models(dtype, value_range):
        return like_input(restored, dtype, ValueRange(value_range))
    if np.dtype(dtype).kind != "f":
        return as_integers(restored, dtype, value_range or (0, 1))
    low, high = value_range or (0, 1)
    unit = np.clip((restored - low) / (high - low), 0, 1)
    return (unit * (file_range[1] - file_range[0]) + file_range[0]).astype(dtype)


def _are_the_models(dtype: np.dtype, value_range: tuple | None) -> bool:
    wide = value_range is not None and value_range[1] - value_range[0] > 255
    scaled = np.dtype(dtype).kind == "f" or dtype in ("uint8", "uint16")
    return not scaled or (dtype == "uint16" and wide)
