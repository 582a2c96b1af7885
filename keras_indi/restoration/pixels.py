"""Restores the pixels of a file by a model of whatever channels and range."""

import numpy as np

from keras_indi.images.decoding import to_channels
from keras_indi.images.value_ranges import as_integers, convert


def restore_pixels(model, pixels, num_samples=None, **options):
    """Restores an image as files hold it.

    A grey image goes through a model of three channels as RGB and comes back grey;
    each channel of a coloured one goes by itself through a model of one.

    Args:
        model: A `keras_indi.models.InDI`.
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, of the
            dtype's full range.
        num_samples: As for `model.restore`.
        **options: Further arguments of `model.restore`.

    Returns:
        Array of the same shape and dtype, with an axis of the samples before it
        where `num_samples` is given.

    Raises:
        ValueError: If the model takes neither one channel nor three, or an option
            is not valid.
    """
    channels = model.image_channels or pixels.shape[-1]
    if channels not in (1, 3):
        raise ValueError(
            "The model must take images of 1 or 3 channels to restore files. "
            f"Received: a model with image_channels={channels}"
        )
    value_range = model.value_range or (0, 1)
    image = convert(pixels, "float32", value_range)
    if channels == 3 and image.shape[-1] == 1:
        image = np.repeat(image, 3, axis=-1)
    if image.shape[-1] > channels:
        planes = [image[..., c : c + 1] for c in range(image.shape[-1])]
        planes = model.restore(planes, num_samples=num_samples, **options)
        restored = np.concatenate(planes, axis=-1)
    else:
        restored = model.restore(image, num_samples=num_samples, **options)
    restored = as_integers(restored, pixels.dtype, value_range)
    if num_samples is None:
        return to_channels(restored, pixels.shape[-1])
    return np.stack([to_channels(draw, pixels.shape[-1]) for draw in restored])
