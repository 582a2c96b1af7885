"""Write metadata as TIFF tags and EXIF directories."""

import pathlib
import struct
from typing import Any, BinaryIO

from keras_indi.annotations import FilePath
from keras_indi.images import exif
from keras_indi.images.metadata import IPTC_TAG, PHOTOSHOP_TAG, XMP_TAG, Metadata
from keras_indi.images.orientation import ORIENTATION

BYTE, ASCII = 1, 2  # types of TIFF tags
FRACTIONS = {5: "I", 10: "i"}  # types with two numbers per value
CLASSIC_TIFF = 2**32 - 2**26  # bytes; larger files need 64-bit offsets


def extra_tags(metadata: Metadata) -> list[tuple[int, int, int, Any, bool]]:
    """Return the tags of a photograph in the format of `tifffile`.

    Args:
        metadata: `Metadata`.
    """
    tags = {tag.code: tag for tag in (*_of_exif(metadata), *metadata.tags)}
    for code, block in (
        (XMP_TAG, metadata.xmp),
        (IPTC_TAG, metadata.iptc),
        (PHOTOSHOP_TAG, metadata.photoshop),
    ):
        if block is not None:
            tags[code] = exif.RawTag(code, BYTE, len(block), block)
    return [(*_packed(tags[code]), True) for code in sorted(tags)]


def _packed(tag):
    """Convert a tag for tifffile, which miscounts the bytes of fractions."""
    if tag.type not in FRACTIONS:
        return tag
    numbers = f"<{2 * tag.number}{FRACTIONS[tag.type]}"
    return tag._replace(value=struct.unpack(numbers, tag.value))


def append_directories(path: FilePath, metadata: Metadata) -> None:
    """Append the EXIF directories to a TIFF file, which tifffile does not support.

    Args:
        path: Path of a little-endian TIFF file that is not a BigTIFF.
        metadata: The `Metadata` from which the tags of the file were made.
    """
    found = exif.directories(metadata.exif)
    codes = [code for code in exif.WITHIN[None] if found.get(code)]
    if not codes:
        return
    with pathlib.Path(path).open("r+b") as file:
        file.seek(4)
        (place,) = struct.unpack("<I", file.read(4))
        file.seek(place)
        (number,) = struct.unpack("<H", file.read(2))
        entries = [file.read(12) for _ in range(number)]
        following = file.read(4)
        for code in codes:
            place = _at_end(file)
            file.write(exif.tree(found, code, place))
            entries.append(struct.pack("<HHII", code, exif.LONG, 1, place))
        # Write the main directory again, with pointers to the EXIF directories.
        place = _at_end(file)
        entries.sort(key=lambda entry: struct.unpack("<H", entry[:2]))
        file.write(struct.pack("<H", len(entries)) + b"".join(entries) + following)
        file.seek(4)
        file.write(struct.pack("<I", place))


def _of_exif(metadata):
    for tag in exif.raw_tags(metadata.exif):
        if tag.code == ORIENTATION:
            yield exif.as_orientation(tag)
        elif not tag.is_of_storage and tag.type != ASCII:
            yield tag
        elif not tag.is_of_storage:  # some writers omit the final null byte
            text = tag.value.rstrip(b"\0") + b"\0"
            yield tag._replace(number=len(text), value=text)


def _at_end(file: BinaryIO) -> int:
    """Seek to the first even offset at the end of a file, and return it."""
    place = file.seek(0, 2)
    file.write(bytes(place % 2))
    return file.tell()
