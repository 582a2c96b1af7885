"""EXIF blocks as bytes: kept as they are, or rewritten where they must change."""

import contextlib
import re
from typing import Any

from keras_indi.images.orientation import ORIENTATION, checked_orientation

PREFIX = b"Exif\0\0"
EXIF_DIRECTORY, GPS_DIRECTORY = 0x8769, 0x8825
TIFF_DIRECTORIES = {EXIF_DIRECTORY, GPS_DIRECTORY}
# Of a TIFF file's own directory, the tags of the photograph, not of its storage:
# description, make, model, orientation, software, date, artist, copyright.
TIFF_TAGS = {0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298}
# A description of how the file stores its image, which a result stores in
# its own way.
DESCRIPTION = 0x010E
OF_STORAGE = re.compile(r"""\{"shape"|ImageJ=|(<\?xml.*?)?<OME\b""", re.S)
# Of width and height: in a file's own directory, and in that of EXIF.
SIZE_TAGS = (0x0100, 0x0101)
EXIF_SIZE_TAGS = (0xA002, 0xA003)


def parsed(block: bytes) -> Any:
    """A `PIL.Image.Exif` of a block; an empty one where it cannot be parsed."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(PREFIX + block)
        dict(exif)
    except Exception:  # a damaged block says nothing; Pillow raises of all kinds
        return Image.Exif()
    return exif


def as_bytes(exif: Any) -> bytes:
    """The block of a `PIL.Image.Exif`, empty where that cannot be written.

    Text goes through byte for byte, as it was: Pillow would write ASCII alone.
    """
    try:
        for directory in (exif, *directories(exif).values()):
            for tag, value in dict(directory).items():
                if isinstance(value, str):
                    directory[tag] = text_bytes(value)
        return exif.tobytes().removeprefix(PREFIX) if len(exif) else b""
    except Exception:
        return b""


def text_bytes(text: str | bytes) -> bytes:
    """The bytes that Pillow read as text: it takes each for a character."""
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")


def directories(exif: Any) -> dict[int, dict]:
    """The directories of EXIF and GPS that a `PIL.Image.Exif` has."""
    found = {}
    for tag in TIFF_DIRECTORIES & set(exif):
        given = exif[tag]
        with contextlib.suppress(Exception):  # it may lead out of the block
            found[tag] = given if isinstance(given, dict) else exif.get_ifd(tag)
    return {tag: directory for tag, directory in found.items() if directory}


def writable(group: int, directory: dict) -> dict:
    """The tags of a directory that Pillow can write: those that are not damaged.

    Args:
        group: Int, one of `TIFF_DIRECTORIES`.
        directory: Dict of tags to values.
    """
    return {
        tag: value
        for tag, value in directory.items()
        if _is_writable(group, tag, value)
    }


def _is_writable(group, tag, value):
    from PIL import TiffImagePlugin

    one = TiffImagePlugin.ImageFileDirectory_v2(group=group)
    try:
        one[tag] = value
        one.tobytes()
    except Exception:  # Pillow raises of all kinds on what it has read itself
        return False
    return True


def of_tiff(header: Any) -> bytes:
    """The EXIF block of a TIFF file, without the tags of its storage.

    Args:
        header: The file, opened as a `PIL.Image.Image`.
    """
    from PIL import Image

    kept = Image.Exif()
    try:
        exif = header.getexif()
        for tag in TIFF_TAGS & set(exif):
            kept[tag] = exif[tag]
        if OF_STORAGE.match(str(kept.get(DESCRIPTION, ""))):
            del kept[DESCRIPTION]
        if ORIENTATION in kept:
            kept[ORIENTATION] = checked_orientation(kept[ORIENTATION])
        found = directories(exif)
        kept.update({tag: writable(tag, found[tag]) for tag in found})
    except Exception:
        return b""
    return as_bytes(kept)


def resized(block: bytes, height: int, width: int) -> bytes:
    """A block in which the width and height are right, where it names them."""
    exif = parsed(block)
    directory = directories(exif).get(EXIF_DIRECTORY, {})
    changed = False
    for tags, names in ((exif, SIZE_TAGS), (directory, EXIF_SIZE_TAGS)):
        for tag, size in zip(names, (width, height)):
            if tag in tags and tags[tag] != size:
                tags[tag] = size
                changed = True
    return as_bytes(exif) or block if changed else block
