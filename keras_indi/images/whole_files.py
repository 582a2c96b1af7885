"""Check whether an image file is complete, without decoding it."""

import math
import os
import pathlib

from keras_indi.annotations import FilePath
from keras_indi.images import png_chunks, tiff_files
from keras_indi.images.formats import opened_file
from keras_indi.images.unusable import TooLargeImageError, UnusableImageError

TAIL = 2**16  # bytes searched for the end of a JPEG, which other data may follow
SCAN, END = 0xDA, b"\xff\xd9"  # markers of JPEG


def is_whole(path: FilePath) -> bool:
    """Return whether a complete image file exists at a path.

    An empty file is not complete. Nothing is decoded. A PNG must contain all chunks, a
    TIFF all strips or tiles, a WebP the number of bytes it declares, and a JPEG its end
    marker.

    Args:
        path: Path of the file. Only the first bytes of other formats are checked.
            Zarr folders, and files without read permission, count as complete.
    """
    if os.path.isdir(path):
        return pathlib.Path(path).suffix.lower() == ".zarr"
    try:  # also raises for a missing file
        with opened_file(path) as (file, format, size):
            if format == "PNG":
                png_chunks.check_whole(file, size)
            elif format == "TIFF":
                with tiff_files.opened_tiff(file) as tiff:
                    page = tiff.pages.first
                    tiff_files.check_stored(page, size, None, most=math.inf)
            elif format == "WEBP":
                file.seek(4)
                return 8 + int.from_bytes(file.read(4), "little") <= size
            elif format == "JPEG":
                return _jpeg_ends(file, size)
    except TooLargeImageError:
        return True
    except UnusableImageError as error:
        return isinstance(error.__cause__, PermissionError)
    except OSError:  # of a disk or network that fails
        return False
    return True


def _jpeg_ends(file, size):
    """Return whether an end marker follows the first scan, which cannot contain it."""
    place = 2
    while True:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return False
        if head[1] == SCAN:
            break
        # Several fill bytes can precede a marker.
        place += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:], "big")
    file.seek(max(place, size - TAIL))
    return END in file.read()
