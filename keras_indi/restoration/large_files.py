"""Images too large to hold: restored from file to file, by blocks."""

import numpy as np

from keras_indi.images import chunked_files
from keras_indi.images.decoding import (
    TooLargeImageError,
    UnusableImageError,
    inspect_image,
    to_channels,
)
from keras_indi.images.value_ranges import as_integers, convert
from keras_indi.inference.arrays import DiskArray

ZARR = ".zarr"
TIFF = (".tif", ".tiff")


def is_large(path):
    """Whether a file is restored by blocks: Zarr, and TIFF beyond 89 megapixels."""
    if path.suffix.lower() == ZARR:
        return True
    if path.suffix.lower() not in TIFF:
        return False
    try:
        inspect_image(path)
    except TooLargeImageError:
        return True
    except UnusableImageError:
        pass
    return False


def restore_large_file(model, source, output, **options):
    """Restores an image from file to file, which is never whole in memory.

    Args:
        model: A `keras_indi.models.InDI` of 1 or 3 channels.
        source: Path of a TIFF, Zarr or OME-Zarr image of 8 or 16 bits.
        output: Path of the result, of any of these formats.
        **options: Further arguments of `model.restore`.

    Raises:
        ValueError: If the image does not suit the model, or a path is of no such
            format, before any work.
        ImportError: If tifffile or zarr is missing.
    """
    chunked_files.check_output(output)
    with chunked_files.opened(source) as image:
        channels = model.image_channels or image.shape[-1]
        colours = image.shape[-1] - (image.shape[-1] in (2, 4))
        if image.dtype not in ("uint8", "uint16") or not (
            colours == channels or (colours, channels) == (1, 3)
        ):
            raise ValueError(
                "A large image must have 8 or 16 bits and the model's channels, or be "
                f"grey. Received: an image of dtype {image.dtype} and shape "
                f"{image.shape} for a model of {channels} channels"
            )
        value_range = model.value_range or (0, 1)

        def degraded(index):
            block = convert(image[index][..., :colours], "float32", value_range)
            return np.repeat(block, channels // colours, axis=-1)

        def finished(index):
            block = as_integers(restored[index], image.dtype, value_range)
            alpha = image[index][..., colours:]
            return np.concatenate([to_channels(block, colours), alpha], axis=-1)

        shape = (*image.shape[:2], channels)
        restored = DiskArray(shape)
        model.restore(Blocks(shape, "float32", degraded), out=restored, **options)
        result = Blocks(image.shape, image.dtype, finished)
        chunked_files.write(output, result, image.metadata)


class Blocks:
    """An array-like whose blocks are computed when they are read.

    Args:
        shape: Tuple of ints, `(height, width, channels)`.
        dtype: NumPy dtype.
        read: Function of an index that returns the block.
    """

    def __init__(self, shape, dtype, read):
        self.shape = shape
        self.ndim = len(shape)
        self.dtype = np.dtype(dtype)
        self._read = read

    def __getitem__(self, index):
        return self._read(index)
