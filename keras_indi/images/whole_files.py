"""Whether an image file is whole, by its beginning and its end."""

import math
import os
import pathlib

from keras_indi.annotations import FilePath
from keras_indi.images import png_chunks, tiff_files
from keras_indi.images.formats import opened_file
from keras_indi.images.unusable import TooLargeImageError, UnusableImageError

TAIL = 2**16  # bytes in which a JPEG file ends, with what others put behind it
SCAN, END = 0xDA, b"\xff\xd9"  # markers of JPEG


def is_whole(path: FilePath) -> bool:
    """Whether there is an image file, which does not end early.

    An empty file is none. Nothing is decoded: of PNG the chunks must be there to the
    last, of TIFF all strips or tiles, of WebP as many bytes as it declares, and of JPEG
    the marker of its end.

    Args:
        path: Path of the file. Of other formats the beginning alone is looked at. One
            that this user may not read, and a Zarr folder, count as whole.
    """
    if os.path.isdir(path):
        return pathlib.Path(path).suffix.lower() == ".zarr"
    try:  # of what is not there, too
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
    return True


def _jpeg_ends(file, size):
    """Whether the end's marker follows the first scan, in which it cannot occur."""
    place = 2
    while True:
        file.seek(place)
        head = file.read(4)
        if len(head) < 4 or head[0] != 0xFF:
            return False
        if head[1] == SCAN:
            break
        # Before a marker there may be several such bytes.
        place += 1 if head[1] == 0xFF else 2 + int.from_bytes(head[2:], "big")
    file.seek(max(place, size - TAIL))
    return END in file.read()
