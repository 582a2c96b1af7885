"""Restores the pixels of a file by a model of whatever channels and range."""

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
    """Restore an image as files hold it.

    A grey image goes through a model of three channels as RGB and comes back grey;
    each channel of a coloured one goes by itself through a model of one.

    Args:
        model: A `keras_indi.models.Restorer`.
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, or float32
            in [0, 1].
        num_samples: As for `model.restore`.
        **options: Further arguments of `model.restore`.

    Returns:
        Array of the same dtype and shape, enlarged by the model's scale, with an axis
        of the samples before it where `num_samples` is given.

    Raises:
        ValueError: If the model takes neither one channel nor three, or an option
            is not valid.
    """
    planes = model_images(model, pixels)
    images = planes if len(planes) > 1 else planes[0]
    restored = model.restore(images, num_samples=num_samples, **options)
    restored = restored if len(planes) > 1 else [restored]
    return file_pixels(model, restored, pixels)


def model_images(model: Restorer, pixels: np.ndarray) -> list[np.ndarray]:
    """What a model restores of an image as files hold it.

    Args:
        model: A `keras_indi.models.Restorer`.
        pixels: As for `restore_pixels`.

    Returns:
        List of float32 arrays in the model's range: the image with the model's
        channels, or each channel of a coloured one for a model of one.

    Raises:
        ValueError: If the model takes neither one channel nor three.
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
    """Restored `model_images` as files hold them.

    Args:
        model: A `keras_indi.models.Restorer`.
        restored: List of arrays `([num_samples,] height, width, channels)`.
        pixels: The image that was restored.

    Returns:
        As `restore_pixels`.
    """
    joined = np.concatenate(restored, axis=-1) if len(restored) > 1 else restored[0]
    joined = in_file_range(joined, pixels.dtype, model.value_range)
    if joined.ndim == 3:
        return to_channels(joined, pixels.shape[-1])
    return np.stack([to_channels(draw, pixels.shape[-1]) for draw in joined])


def resized_alpha(alpha: np.ndarray | None, pixels: np.ndarray) -> np.ndarray | None:
    """An alpha channel `(height, width)` at the size of restored pixels, bilinear."""
    if alpha is None:
        return None
    height, width = pixels.shape[:2]
    return resize(alpha[..., None], height, width, "bilinear")[..., 0]


def in_model_range(
    pixels: np.ndarray,
    value_range: tuple | None,
    file_range: ValueLimits = (0, 1),
) -> np.ndarray:
    """A file's pixels as float32 in a model's value range.

    The full range of 8 and of 16 bits, and `file_range` of floats, becomes the
    model's, or (0, 1) where it has none. Values of other dtypes are the model's own;
    so are those of 16 bits for a model of a range wider than 8 bits, such as a
    camera's 12 bits.
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
    """What `in_model_range` converted, back in the file's dtype: clipped, rounded."""
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
