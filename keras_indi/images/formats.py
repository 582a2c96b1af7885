"""Image file formats: extensions and first bytes."""

import contextlib
import io
import os
import pathlib
import stat
from collections.abc import Iterator
from typing import BinaryIO

from keras_indi.annotations import FilePath
from keras_indi.images.unusable import UnusableImageError, parsing

# Supported formats, with their file extensions and first bytes.
EXTENSIONS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jpe": "JPEG",
    ".jfif": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
    ".gif": "GIF",
    ".avif": "AVIF",
    ".heic": "HEIF",
    ".heif": "HEIF",
    ".hif": "HEIF",
}
FORMATS = tuple(dict.fromkeys(EXTENSIONS.values()))
BEGINNINGS = {
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"\xff\xd8\xff": "JPEG",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"BM": "BMP",
    b"GIF8": "GIF",
}
BRANDS = {b"avif": "AVIF", b"avis": "AVIF"}  # of files that begin with `ftyp`
HEVC = {b"heic", b"heix", b"heim", b"heis"}
BRANDS |= dict.fromkeys([*HEVC, b"mif1", b"msf1"], "HEIF")
BEGINNING = 256  # bytes to read, enough to contain the brands


@contextlib.contextmanager
def opened_file(path: FilePath | bytes) -> Iterator[tuple[BinaryIO, str, int]]:
    """Open an image file and detect its format from its first bytes.

    Args:
        path: Path of the file, or its content as bytes.

    Yields:
        Tuple of the file opened for reading, its format (one of `FORMATS`), and its
        size in bytes.

    Raises:
        UnusableImageError: If the file cannot be opened, is not a regular file, or
            has none of these formats.
    """
    with contextlib.ExitStack() as stack:
        if isinstance(path, bytes):
            file: BinaryIO = io.BytesIO(path)
        else:
            try:
                path = pathlib.Path(path)
                if not stat.S_ISREG(path.stat().st_mode):  # a pipe would wait for ever
                    raise UnusableImageError("unreadable (not a regular file)")
                file = stack.enter_context(path.open("rb"))
            except OSError as error:
                raise UnusableImageError(f"unreadable ({error.strerror})") from error
        with parsing():  # a disk may fail, too
            format = format_of(file.read(BEGINNING))
            size = file.seek(0, os.SEEK_END)
            file.seek(0)
        yield file, format, size


def format_of(beginning: bytes) -> str:
    """Return the format of a file, from its first `BEGINNING` bytes.

    Raises:
        UnusableImageError: If it is none of `FORMATS`.
    """
    for start, format in BEGINNINGS.items():
        if beginning.startswith(start):
            return format
    if beginning[:4] == b"RIFF" and beginning[8:12] == b"WEBP":
        return "WEBP"
    if beginning[4:8] == b"ftyp" and beginning[8:12] in BRANDS:
        size = int.from_bytes(beginning[:4], "big")
        brands = [beginning[i : i + 4] for i in range(8, min(size, len(beginning)), 4)]
        if not HEVC & {*brands} and (b"avif" in brands or b"avis" in brands):
            return "AVIF"  # the first brand is generic
        return BRANDS[beginning[8:12]]
    what = "empty" if not beginning else f"not a {', '.join(FORMATS)} file"
    raise UnusableImageError(f"unreadable ({what})")
