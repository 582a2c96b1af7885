"""Colour information and pixel density from the header of a BMP file."""

import struct
from typing import BinaryIO, NamedTuple

# Colour space types as stored in the header: an embedded profile, a linked profile,
# and primaries with curves.
EMBEDDED, LINKED, CALIBRATED = b"DEBM", b"KNIL", bytes(4)
PLACE = 14  # offset of this header, after the file header
MOST_BYTES = 2**26


class Colours(NamedTuple):
    """Colour information of a BMP file: a profile, or the name of another source."""

    profile: bytes | None = None
    other: str | None = None


def read_colours(file: BinaryIO) -> Colours:
    """Read the colour information in the header of a BMP file.

    Args:
        file: BMP file that a decoder has accepted, opened for reading.
    """
    file.seek(PLACE)
    header = file.read(124)
    (size,) = struct.unpack_from("<I", header.ljust(4, b"\0"))
    if size < 108 or len(header) < 108:
        return Colours()
    kind = header[56:60]
    if kind == CALIBRATED:
        return Colours(other="calibrated colours" if any(header[60:108]) else None)
    if size < 124 or len(header) < 124 or kind not in (EMBEDDED, LINKED):
        return Colours()
    if kind == LINKED:
        return Colours(other="link to a colour profile")
    place, length = struct.unpack_from("<II", header, 112)
    file.seek(PLACE + place)
    return Colours(profile=file.read(min(length, MOST_BYTES)) or None)


def has_density(file: BinaryIO) -> bool:
    """Return whether the file contains a pixel density."""
    file.seek(PLACE)
    header = file.read(40)
    return (
        len(header) == 40
        and header[0] >= 40
        and all(struct.unpack_from("<II", header, 24))
    )
