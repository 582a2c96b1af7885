"""Metadata segments of a JPEG file, which are copied to outputs."""

import re
from collections.abc import Iterator
from typing import BinaryIO, NamedTuple

from keras_indi.images.unusable import UnusableImageError

APP0, APP1, APP2, APP11, APP12, APP13, APP14, COMMENT = (
    *(0xE0, 0xE1, 0xE2, 0xEB, 0xEC, 0xED, 0xEE),
    0xFE,
)
APPLICATIONS = range(0xE0, 0xF0)
EXIF = b"Exif\0\0"
XMP = b"http://ns.adobe.com/xap/1.0/\0"
EXTENDED_XMP = b"http://ns.adobe.com/xmp/extension/\0"
PROFILE = b"ICC_PROFILE\0"
PICTURES = b"MPF\0"
PHOTOSHOP = b"Photoshop 3.0\0"
# Segments that would be wrong in another file: density, thumbnail, further images,
# gain map, signature of the bytes, and encoder settings.
OF_THE_FILE = (
    *((APP0, b"JFIF\0"), (APP0, b"JFXX\0"), (APP2, PICTURES), (APP2, b"urn:iso:")),
    *((APP11, b""), (APP12, b"Ducky"), (APP14, b"Adobe")),
)
# Segments that have their own field in `Metadata`.
KNOWN = (
    *((APP1, EXIF), (APP1, XMP), (APP1, EXTENDED_XMP), (APP2, PROFILE)),
    *((APP13, PHOTOSHOP), (COMMENT, b"")),
)
# Segments that the decoder needs, or whose content is read from it.
DECODED = ((APP0, b""), (APP1, EXIF), (APP2, PICTURES), (APP14, b""))
MOST_BYTES = 2**26
MOST_SEGMENTS = 2**20
ROOM = 65533  # maximum bytes of a segment's content


class Segment(NamedTuple):
    """A segment: the last byte of its marker, and its content."""

    marker: int
    body: bytes

    def is_of(self, kinds: tuple[tuple[int, bytes], ...]) -> bool:
        """Return whether it matches one of `kinds`, pairs of marker and prefix."""
        return any(
            self.marker == marker and self.body.startswith(start)
            for marker, start in kinds
        )

    @property
    def name(self) -> str:
        """Name of the segment for messages."""
        if self.marker == APP11 and b"jumb" in self.body[:32]:
            return "C2PA manifest"
        label = re.match(rb"[ -~]{2,24}", self.body)
        label_text = f" ({label[0].decode().strip()})" if label else ""
        return f"APP{self.marker - APP0}{label_text}"

    def as_bytes(self) -> bytes:
        """Serialize the segment."""
        head = bytes([0xFF, self.marker]) + (len(self.body) + 2).to_bytes(2, "big")
        return head + self.body


def read_segments(file: BinaryIO, most: int = MOST_BYTES) -> list[Segment]:
    """Read the application segments and comments before the pixels.

    Args:
        file: JPEG file, opened for reading.
        most: Int, maximum total number of bytes.

    Raises:
        UnusableImageError: If the segments are larger.
    """
    found = []
    for marker, place, length in _segments(file):
        most -= length
        if most < 0:
            raise UnusableImageError("too large (its metadata)")
        file.seek(place)
        found.append(Segment(marker, file.read(length)))
    return found


def not_decoded(file: BinaryIO) -> list[tuple[int, int]]:
    """Return the byte ranges of a JPEG file that the decoder does not need.

    Damage in these ranges can make a decoder refuse the whole file.

    Args:
        file: JPEG file, opened for reading.
    """
    found = []
    for marker, place, length in _segments(file):
        file.seek(place)
        if not Segment(marker, file.read(min(length, 64))).is_of(DECODED):
            found.append((place - 4, place + length))
    return found


def joined(segments: list[Segment], marker: int, start: bytes) -> bytes:
    """Concatenate the content of all segments of one kind."""
    kind = ((marker, start),)
    return b"".join(s.body[len(start) :] for s in segments if s.is_of(kind))


def profile_of(segments: list[Segment]) -> bytes:
    """Assemble the colour profile from its numbered segments."""
    parts = [s.body[len(PROFILE) :] for s in segments if s.is_of(((APP2, PROFILE),))]
    return b"".join(part[2:] for part in sorted(parts, key=lambda part: part[:1]))


def divided(marker: int, start: bytes, content: bytes) -> list[Segment]:
    """Split content of any length into segments, each with the same prefix."""
    most = ROOM - len(start)
    return [
        Segment(marker, start + content[place : place + most])
        for place in range(0, len(content), most)
    ]


def _segments(file) -> Iterator[tuple[int, int, int]]:
    """Yield marker, offset and length of each segment before the first scan."""
    place = 2
    for _ in range(MOST_SEGMENTS):
        file.seek(place)
        head = file.read(4)
        if len(head) < 4:
            return
        if head[0] != 0xFF:  # a segment longer than declared; decoders continue too
            place = _next_marker(file, place)
            continue
        marker, length = head[1], int.from_bytes(head[2:], "big")
        if marker in (0x00, 0xFF):  # not a marker but a fill byte
            place += 1
            continue
        if not 0xC0 <= marker or 0xD0 <= marker <= 0xDA or length < 2:
            return
        if marker in APPLICATIONS or marker == COMMENT:
            yield marker, place + 4, length - 2
        place += 2 + length


def _next_marker(file, place):
    """Return the offset of the next marker, or of the end of the file."""
    file.seek(place)
    while part := file.read(4096):
        found = part.find(0xFF)
        if found >= 0:
            return place + found
        place += len(part)
    return place
