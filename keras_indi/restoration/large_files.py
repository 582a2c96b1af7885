"""Restore large image files in blocks, without loading them into memory."""

import pathlib
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.images import chunked_files
from keras_indi.images.channels import to_channels
from keras_indi.images.decoding import checked_floats, inspect_image
from keras_indi.images.unusable import (
    MAX_PIXELS,
    TooLargeImageError,
    UnusableImageError,
)
from keras_indi.inference.arrays import DiskArray, EnlargedImage, row_bands
from keras_indi.models import checks
from keras_indi.models.restorer import Restorer
from keras_indi.restoration.pixels import in_file_range, in_model_range

ZARR = ".zarr"
TIFF = (".tif", ".tiff")
# Dtypes of grey images that a colour model can restore.
TURNED_GREY = ("uint8", "uint16", "float16", "float32", "float64")


def is_by_blocks(path: pathlib.Path, max_pixels: int | None = None) -> bool:
    """Return whether a file is restored in blocks.

    This applies to Zarr, and to TIFF that is not a photograph: more than 89 megapixels,
    integers of other than 8 or 16 bits, other numbers of channels, or channels in
    separate pages.

    Args:
        path: Path of the file.
        max_pixels: As for `chunked_files.opened`.
    """
    if path.suffix.lower() == ZARR:
        return True
    if path.suffix.lower() not in TIFF:
        return False
    try:
        info = inspect_image(path, MAX_PIXELS)
        photograph = info.format == "TIFF"
    except TooLargeImageError:
        return True
    except UnusableImageError:
        photograph = False
    try:
        with chunked_files.opened(path, max_pixels) as image:
            return image.num_pages > 1 or not photograph
    except Exception:  # reading it as a photograph will raise with the reason
        return False


def restore_by_blocks(
    model: Restorer,
    source: pathlib.Path,
    output: pathlib.Path,
    max_pixels: int | None = None,
    value_range: ValueLimits | None = None,
    clip: bool = False,
    modified: int | None = None,
    **options: Any,
) -> list[str]:
    """Restore an image file in blocks, without loading it into memory.

    Args:
        model: A `keras_indi.models.Restorer`.
        source: Path of a TIFF, Zarr or OME-Zarr image.
        output: Path of the output, in any of these formats.
        max_pixels: As for `chunked_files.opened`.
        value_range: As for `read_photograph`; so is `clip`.
        clip: Bool.
        modified: As for `write_whole`.
        **options: Further arguments of `model.restore`.

    Returns:
        List of strings: what could not be kept.

    Raises:
        ValueError: If the image does not match the model, or a path has another
            format. Nothing is written then.
        ImportError: If tifffile or zarr is missing.
    """
    chunked_files.format_of(output)
    scale = checks.checked_scale(options.get("scale"), model.scale)
    with chunked_files.opened(source, max_pixels) as image:
        result = RestoredBlocks(model, image, value_range, clip, str(source), **options)
        metadata = chunked_files.enlarged(image.metadata, scale, result.shape[:2])
        lost = chunked_files.write(output, result, metadata, modified)
        return [*image.notes, *result.notes, *lost]


def restore_through_disk(
    model: Restorer, pixels: np.ndarray, **options: Any
) -> np.ndarray:
    """Restore the pixels of a large photograph, with intermediate floats on disk.

    Args:
        model: A `keras_indi.models.Restorer`.
        pixels: Array of shape `(height, width, 1 or 3)`, as for `restore_pixels`.
        **options: Further arguments of `model.restore`.

    Returns:
        Array of the same dtype.

    Raises:
        ValueError: If the image does not match the model.
    """
    result = RestoredBlocks(model, pixels, None, False, "image", **options)
    restored = np.empty(result.shape, result.dtype)
    for rows in row_bands(*result.shape[:2]):
        restored[rows] = result[rows]
    return restored


class RestoredBlocks:
    """A restored image that is converted to the values of its file when it is read.

    Args:
        model: A `keras_indi.models.Restorer`.
        image: Array-like of shape `(height, width, channels)`, such as an
            `ImageView`, that is read in blocks.
        value_range: As for `read_photograph`; so is `clip`.
        clip: Bool.
        name: String, name of the image for error messages.
        **options: Further arguments of `model.restore`.

    Attributes:
        notes: List of strings, notes on clipped values.

    Raises:
        ValueError: If the image does not match the model. Nothing is written then.
    """

    def __init__(
        self,
        model: Restorer,
        image: Any,
        value_range: ValueLimits | None,
        clip: bool,
        name: str,
        **options: Any,
    ) -> None:
        wanted, stored = model.image_channels, image.shape[-1]
        # Grey and colour models do not change the alpha of a photograph.
        has_alpha = wanted in (1, 3) and getattr(image, "has_alpha", False)
        colours = stored - has_alpha
        channels = wanted or colours
        turned_grey = (colours, channels) == (1, 3) and image.dtype in TURNED_GREY
        if colours != channels and not turned_grey:
            raise ValueError(
                "The image must have the model's channels, or be grey. Received: "
                f"{name!r} of shape {image.shape} and dtype {image.dtype} for "
                f"a model with image_channels={wanted}"
            )
        scale = checks.checked_scale(options.get("scale"), model.scale)
        self.ndim = 3
        self.dtype = np.dtype(image.dtype)
        self._model_range = model.value_range
        self._file_range = (0, 1) if value_range is None else value_range
        self._clip = clip
        self._clipped = self._read = 0
        self._colours, self._turned_grey = colours, turned_grey
        self._has_alpha = has_alpha
        self._enlarged = EnlargedImage(image, scale)
        self.shape = self._enlarged.shape

        def degraded(index: Any) -> np.ndarray:
            block = self._in_range(image[index][..., :colours])
            block = in_model_range(block, self._model_range, self._file_range)
            return np.repeat(block, channels // colours, axis=-1)

        self._restored = DiskArray((*self.shape[:2], channels))
        blocks = Blocks((*image.shape[:2], channels), "float32", degraded)
        model.restore(blocks, out=self._restored, **options)

    @property
    def notes(self) -> list[str]:
        low, high = self._file_range
        share = 100 * self._clipped / max(1, self._read)
        if not self._clipped:
            return []
        return [f"{share:.2g} % of its values were clipped to [{low:g}, {high:g}]"]

    def __getitem__(self, index: Any) -> np.ndarray:
        block = self._restored[index]
        if self._turned_grey:
            block = to_channels(block, self._colours)
        block = in_file_range(block, self.dtype, self._model_range, self._file_range)
        if not self._has_alpha:
            return block
        alpha = self._enlarged[index][..., self._colours :]
        if self.dtype.kind != "f":
            alpha = np.rint(alpha)
        return np.concatenate([block, alpha.astype(self.dtype)], axis=-1)

    def _in_range(self, block):
        """Clip floats to the file's range, or check them. Integers are unchanged."""
        if block.dtype.kind != "f":
            return block
        low, high = self._file_range
        if self._clip:
            self._read += block.size
            self._clipped += int(np.sum((block < low) | (block > high)))
            block = np.clip(block, low, high)
        return checked_floats(block, (low, high))


class Blocks:
    """Array-like whose blocks are computed when they are read.

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
