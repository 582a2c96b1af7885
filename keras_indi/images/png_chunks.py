"""The chunks of a PNG file beside its pixels, carried from file to file."""

import struct
import zlib
from typing import BinaryIO

from keras_indi.images.unusable import UnusableImageError

# Chunks of colours and text: kept byte for byte.
COLOURS = (b"cICP", b"mDCV", b"cLLI", b"gAMA", b"cHRM", b"sRGB")
TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
HEADER = 8 + 4 + 4 + 13 + 4  # bytes of the signature and the header's chunk
MOST_BYTES = 2**26
MOST_CHUNKS = 2**20

Chunks = tuple[tuple[bytes, bytes], ...]


def check_whole(file: BinaryIO, stored_bytes: int) -> None:
    """Raise unless all chunks lie within a PNG file, the last one too.

    Args:
        file: PNG file, opened for reading.
        stored_bytes: Int, its size.

    Raises:
        UnusableImageError: If it is truncated.
    """
    for name, _ in _chunks(file, stored_bytes):
        if name == b"IEND":
            return
    raise UnusableImageError("truncated or damaged (it ends within a chunk)")


def read_chunks(file: BinaryIO, stored_bytes: int) -> Chunks:
    """The chunks of `COLOURS` and `TEXTS`, but for XMP and EXIF.

    Args:
        file: PNG file that a decoder has accepted, opened for reading.
        stored_bytes: Int, its size.

    Returns:
        Tuple of pairs of name and content, without damaged ones.
    """
    found: list[tuple[bytes, bytes]] = []
    total = 0
    for name, length in _chunks(file, stored_bytes):
        if name not in COLOURS + TEXTS:
            continue
        total += length
        if total > MOST_BYTES:
            raise UnusableImageError("too large (its text)")
        body = file.read(length)
        sound = zlib.crc32(name + body) == int.from_bytes(file.read(4), "big")
        if sound and not body.startswith((XMP_KEYWORD, b"Raw profile type")):
            found.append((name, body))
    return tuple(found)


def _chunks(file, stored_bytes):
    """Names and lengths; the file stands at each one's content."""
    place = 8
    for _ in range(MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (2**32, b"")
        place += 8 + length + 4
        if place > stored_bytes or not name.isalpha():
            return
        yield name, length


def with_chunks(content: bytes, chunks: Chunks) -> bytes:
    """A PNG file's content with chunks after its header, in their order."""
    beside = b"".join(
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    return content[:HEADER] + beside + content[HEADER:]


def international_text(keyword: str, text: bytes) -> tuple[bytes, bytes]:
    """A chunk of UTF-8 text."""
    return b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text
