"""Image files that are restored by blocks, and so never whole in memory."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_indi.images import chunked_files
from keras_indi.images.channels import to_channels
from keras_indi.images.decoding import (
    TooLargeImageError,
    UnusableImageError,
    inspect_image,
)
from keras_indi.inference.arrays import DiskArray, EnlargedImage
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.restoration.pixels import in_file_range, in_model_range

ZARR = ".zarr"
TIFF = (".tif", ".tiff")
# Which grey images can go through a model of colours.
TURNED_GREY = ("uint8", "uint16", "float32")


def is_by_blocks(path: pathlib.Path) -> bool:
    """Whether a file is restored by blocks.

    Zarr is, and TIFF that is no photograph: of more than 89 megapixels, of floats or
    other integers, or with its channels in pages.
    """
    if path.suffix.lower() == ZARR:
        return True
    if path.suffix.lower() not in TIFF:
        return False
    try:
        inspect_image(path)
        photograph = True
    except TooLargeImageError:
        return True
    except UnusableImageError:
        photograph = False
    try:
        with chunked_files.opened(path) as image:
            return image.num_pages > 1 or not photograph
    except Exception:  # where this reads none, reading the photograph says why
        return False


def restore_by_blocks(
    model: Restorer, source: pathlib.Path, output: pathlib.Path, **options: Any
) -> None:
    """Restores an image from file to file, which is never whole in memory.

    Args:
        model: A `keras_indi.models.Restorer`.
        source: Path of a TIFF, Zarr or OME-Zarr image.
        output: Path of the result, of any of these formats.
        **options: Further arguments of `model.restore`.

    Raises:
        ValueError: If the image does not suit the model, or a path is of no such
            format, before any work.
        ImportError: If tifffile or zarr is missing.
    """
    chunked_files.check_output(output)
    scale = checks.checked_scale(options.get("scale"), model.scale)
    with chunked_files.opened(source) as image:
        wanted, stored = model.image_channels, image.shape[-1]
        # Models of grey and of colours leave a photograph's alpha as it is.
        photograph = image.dtype in ("uint8", "uint16") and image.num_pages == 1
        has_alpha = photograph and wanted in (1, 3) and stored in (2, 4)
        colours = stored - has_alpha
        channels = wanted or colours
        turned_grey = (colours, channels) == (1, 3) and image.dtype in TURNED_GREY
        if colours != channels and not turned_grey:
            raise ValueError(
                "The image must have the model's channels, or be grey. Received: "
                f"{str(source)!r} of shape {image.shape} and dtype {image.dtype} for "
                f"a model with image_channels={wanted}"
            )

        def degraded(index: Any) -> np.ndarray:
            block = in_model_range(image[index][..., :colours], model.value_range)
            return np.repeat(block, channels // colours, axis=-1)

        def finished(index: Any) -> np.ndarray:
            block = in_file_range(restored[index], image.dtype, model.value_range)
            block = to_channels(block, colours) if turned_grey else block
            if not has_alpha:
                return block
            alpha = np.rint(enlarged[index][..., colours:]).astype(image.dtype)
            return np.concatenate([block, alpha], axis=-1)

        shape = (*image.shape[:2], channels)
        enlarged = EnlargedImage(image, scale)
        restored = DiskArray((*enlarged.shape[:2], channels))
        model.restore(Blocks(shape, "float32", degraded), out=restored, **options)
        result = Blocks(enlarged.shape, image.dtype, finished)
        chunked_files.write(
            output, result, chunked_files.enlarged(image.metadata, scale)
        )


class Blocks:
    """An array-like whose blocks are computed when they are read.

    Args:
        shape: Tuple of ints, `(height, width, channels)`.
        dtype: NumPy dtype.
        read: Function of an index that returns the block.
    """

    def __init__(self, shape: tuple, dtype: Any, read: Callable[[Any], np.ndarray]):
        self.shape = shape
        self.ndim = len(shape)
        self.dtype = np.dtype(dtype)
        self._read = read

    def __getitem__(self, index: Any) -> np.ndarray:
        return self._read(index)
