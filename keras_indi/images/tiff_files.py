"""Open TIFF files and read the image of a photograph."""

import contextlib
import operator
import pathlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from keras_indi.images.orientation import ORIENTATION, checked_orientation
from keras_indi.images.tiff_samples import TiffSamples
from keras_indi.images.unusable import UnusableImageError, check_size, parsing
from keras_indi.optional_packages import optional_import

UNCOMPRESSED = 1


@contextlib.contextmanager
def opened_tiff(file: pathlib.Path | BinaryIO) -> Iterator[Any]:
    """Open a `tifffile.TiffFile` and check that its first page has an image.

    Args:
        file: Path, or file opened for reading.

    Raises:
        UnusableImageError: If the file is not such a TIFF.
        ImportError: If tifffile is missing.
    """
    tifffile = optional_import("tifffile", extra="data", purpose="Reading TIFF files")
    with contextlib.ExitStack() as stack:
        with parsing():
            tiff = stack.enter_context(tifffile.TiffFile(file))
            page = tiff.pages.first
            len(tiff.pages)  # follows the chain of pages once, which may be circular
            sizes = (page.imagelength, page.imagewidth, page.imagedepth)
            height, width, depth = map(
                operator.index, sizes
            )  # a damaged tag has several
        if depth != 1:
            raise UnusableImageError("not read (TIFF of volumes)")
        if height < 1 or width < 1:
            raise UnusableImageError(f"unreadable ({height}x{width} pixels)")
        yield tiff


def check_stored(
    page: Any, stored_bytes: int, max_pixels: int | None, **limits: float
) -> None:
    """Raise if a page declares data that is missing from its file or too large.

    Args:
        page: A `tifffile.TiffPage`.
        stored_bytes: Int, the size of the file.
        max_pixels: As for `check_size`.
        **limits: As for `check_size`.

    Raises:
        UnusableImageError: If not all strips or tiles are in the file.
        TooLargeImageError: As for `check_size`.
    """
    height, width = page.imagelength, page.imagewidth
    pixel_bytes = page.samplesperpixel * max(8, page.bitspersample) / 8
    check_size(height, width, pixel_bytes, stored_bytes, max_pixels, **limits)
    declared = height * width * page.samplesperpixel * page.bitspersample / 8
    with parsing():
        if page.compression == UNCOMPRESSED and declared > stored_bytes:
            raise UnusableImageError(
                f"truncated or damaged ({height}x{width} pixels declared by a file of "
                f"{stored_bytes} bytes)"
            )
        expected = int(np.prod(page.chunked, dtype="float64"))
        offsets = np.array(page.dataoffsets, "float64")
        counts = np.array(page.databytecounts, "float64")
        if page.compression == UNCOMPRESSED:
            counts = np.minimum(
                counts, 1
            )  # some writers count padding that is not there
        parts = min(len(offsets), len(counts))
        offsets, counts = offsets[:parts], counts[:parts]
        there = (offsets > 0) & (counts > 0) & (offsets + counts <= stored_bytes)
        found = int(np.sum(there))
    if parts < expected or found < parts:
        raise UnusableImageError(
            f"truncated or damaged ({min(found, expected)} of {expected} strips or "
            "tiles are in the file)"
        )


def samples_of(page: Any, by_profile: bool = False) -> TiffSamples:
    """Create the `TiffSamples` of a page.

    Raises:
        UnusableImageError: If tags are damaged, or the samples are not supported.
    """
    with parsing():
        return TiffSamples(page, by_profile)


def read_page(page: Any, samples: TiffSamples) -> np.ndarray:
    """Read the image of a page as stored, without applying its orientation.

    Returns:
        Array of shape `(height, width, channels)`, as `TiffSamples` returns it.

    Raises:
        UnusableImageError: If it cannot be decoded.
    """
    with parsing("truncated or damaged"):
        stored = page.asarray(maxworkers=1).reshape(page.shaped)
    planes, _, height, width, contiguous = stored.shape
    if planes > 1 and contiguous > 1:
        raise UnusableImageError("not read (TIFF of interleaved planes)")
    image = stored[0, 0] if planes == 1 else np.moveaxis(stored[:, 0, ..., 0], 0, -1)
    return samples(image)


def orientation_of(page: Any) -> int:
    """Return the orientation of a page, 1 to 8."""
    with contextlib.suppress(Exception):  # ignore a damaged tag
        return checked_orientation(page.tags.valueof(ORIENTATION, 1))
    return 1
