"""The chunks of a PNG file beside its pixels, carried from file to file."""

import struct
import zlib
from typing import BinaryIO

from keras_indi.images.unusable import UnusableImageError

# What tells of the colours, and text: kept byte for byte.
COLOURS = (b"cICP", b"mDCV", b"cLLI", b"gAMA", b"cHRM", b"sRGB")
TEXTS = (b"tEXt", b"zTXt", b"iTXt", b"tIME")
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
HEADER = 8 + 4 + 4 + 13 + 4  # bytes of the signature and the header's chunk
MOST_BYTES = 2**26

Chunks = tuple[tuple[bytes, bytes], ...]


def read_chunks(file: BinaryIO) -> Chunks:
    """The chunks of `COLOURS` and `TEXTS`, but for XMP and EXIF.

    Args:
        file: A PNG file that a decoder has accepted, opened for reading.

    Returns:
        Tuple of pairs of name and content.
    """
    found: list[tuple[bytes, bytes]] = []
    total = 0
    file.seek(8)
    while len(head := file.read(8)) == 8:
        length, name = struct.unpack(">I4s", head)
        if name not in COLOURS + TEXTS:
            file.seek(length + 4, 1)
            continue
        total += length
        if total > MOST_BYTES:
            raise UnusableImageError("too large (of its text)")
        body = file.read(length)
        if len(body) < length or zlib.crc32(name + body) != int.from_bytes(
            file.read(4), "big"
        ):
            continue
        if not body.startswith((XMP_KEYWORD, b"Raw profile type")):
            found.append((name, body))
    return tuple(found)


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
