"""Metadata chunks of a PNG file, which are copied to outputs."""

import contextlib
import struct
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from keras_indi.images import exif
from keras_indi.images.unusable import UnusableImageError

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Colour chunks, which must precede the others.
COLOURS = (b"cICP", b"mDCV", b"cLLI", b"gAMA", b"cHRM", b"sRGB")
TEXTS = (b"tEXt", b"zTXt", b"iTXt")
# Chunks that have their own field in `Metadata`.
PROFILE, DENSITY, EXIF = b"iCCP", b"pHYs", b"eXIf"
OWN_PLACE = (b"IHDR", PROFILE, DENSITY, EXIF)
# Chunks that the decoder needs, or whose content is read from it.
DECODED = (b"tRNS", b"acTL", b"fcTL", b"fdAT")
# Positions and scales that only hold for the file's own number of pixels.
OF_THE_SIZE = (b"oFFs", b"sCAL", b"pCAL")
XMP_KEYWORD = b"XML:com.adobe.xmp\0"
OLD_EXIF = b"Raw profile type exif\0"  # of older writers
MOST_OLD_EXIF = 2**20  # bytes
HEADER = 8 + 4 + 4 + 13 + 4  # bytes of the signature and the header's chunk
MOST_BYTES = 2**26
MOST_CHUNKS = 2**20

Chunks = tuple[tuple[bytes, bytes], ...]


def check_whole(file: BinaryIO, stored_bytes: int) -> list[tuple[int, int]]:
    """Raise unless a PNG file contains all of its chunks completely.

    Args:
        file: PNG file, opened for reading.
        stored_bytes: Int, its size.

    Returns:
        List of pairs, the begin and end of chunks that the decoder does not need, but
        for which it may refuse the file. EXIF is not among them.

    Raises:
        UnusableImageError: If the file is truncated.
    """
    not_decoded: list[tuple[int, int]] = []
    for name, length in _chunks(file, stored_bytes):
        if name == b"IEND":
            return not_decoded
        if name[:1].islower() and name not in DECODED:
            begin = file.tell() - 8
            if not _is_exif(file, name, length):
                not_decoded.append((begin, begin + 12 + length))
    raise UnusableImageError("truncated or damaged (it ends within a chunk)")


def read_chunks(file: BinaryIO, stored_bytes: int, damaged: bool = False) -> Chunks:
    """Read the header and all metadata chunks.

    Args:
        file: PNG file that a decoder has accepted, opened for reading.
        stored_bytes: Int, its size.
        damaged: Bool, whether to include chunks with a wrong checksum.

    Returns:
        Tuple of pairs of name and content.
    """
    found: list[tuple[bytes, bytes]] = []
    total = 0
    for name, length in _chunks(file, stored_bytes):
        if name != b"IHDR" and (not name[:1].islower() or name in DECODED):
            continue
        total += length
        if total > MOST_BYTES:
            raise UnusableImageError("too large (its text)")
        body = file.read(length) if damaged else _sound(file, name, length)
        if body is not None:
            found.append((name, body))
    return tuple(found)


def read_exif(file: BinaryIO, stored_bytes: int) -> bytes:
    """Read the EXIF block, also one that follows the pixels. Empty if there is none.

    Args:
        file: PNG file that a decoder has accepted, opened for reading.
        stored_bytes: Int, its size.
    """
    old = b""
    for name, length in _chunks(file, stored_bytes):
        if name == EXIF and length <= MOST_BYTES:
            body = _sound(file, name, length)
            if body:
                return body.removeprefix(exif.PREFIX)
        elif name in TEXTS and length <= MOST_OLD_EXIF and not old:
            body = _sound(file, name, length)
            if body is not None and body.startswith(OLD_EXIF):
                lines = content_of(name, body).split(b"\n")
                with contextlib.suppress(ValueError):  # no hexadecimal digits
                    block = bytes.fromhex(b"".join(lines[3:]).decode("latin-1"))
                    old = block.removeprefix(exif.PREFIX)
    return old


def carried(chunks: Chunks, content: bytes) -> Chunks:
    """Return the chunks that are copied to another file byte for byte.

    These are colours and texts, and unknown chunks that are marked as safe to copy.
    Chunks that have their own field in `Metadata` are not among them.

    Args:
        chunks: Chunks of a file, its header first.
        content: Bytes of the other PNG file.
    """
    header = dict(chunks).get(b"IHDR", b"")
    # A background colour has the format of the pixels: grey or RGB, and their bits.
    alike = header[8:10] == content[24:26] or (
        header[8:9] == content[24:25]
        and [*header[9:10], *content[25:26]] in ([0, 4], [4, 0], [2, 6], [6, 2])
    )
    found = [
        (name, body)
        for name, body in chunks
        if name not in OWN_PLACE
        and not body.startswith((XMP_KEYWORD, OLD_EXIF))
        and (
            name in (*COLOURS, b"tIME")
            or name[3:].islower()
            or (name == b"bKGD" and alike)
        )
    ]
    return tuple(sorted(found, key=lambda chunk: chunk[0] not in COLOURS))


def content_of(name: bytes, body: bytes) -> bytes:
    """Return the content of a compressed profile or a text. Empty if damaged.

    Args:
        name: Bytes, `iCCP` or one of `TEXTS`.
        body: Bytes of the chunk.
    """
    _, _, rest = body.partition(b"\0")
    if name == b"tEXt":
        return rest
    packed = name != b"iTXt" or rest[:1] == b"\1"
    if name == b"iTXt":
        rest = rest[2:].partition(b"\0")[2].partition(b"\0")[2]
    else:
        rest = rest[1:]
    if not packed:
        return rest
    try:
        unpacking = zlib.decompressobj()
        content = unpacking.decompress(rest, MOST_BYTES)
    except zlib.error:
        return b""
    return content if unpacking.eof else b""


def _chunks(file, stored_bytes) -> Iterator[tuple[bytes, int]]:
    """Yield names and lengths, with the file positioned at the content."""
    place = 8
    for _ in range(MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        length, name = struct.unpack(">I4s", head) if len(head) == 8 else (2**32, b"")
        place += 8 + length + 4
        if place > stored_bytes or not name.isalpha():
            return
        yield name, length


def _is_exif(file, name, length):
    """Return whether a chunk contains valid EXIF, which the decoder needs."""
    most = MOST_BYTES if name == EXIF else MOST_OLD_EXIF
    if name not in (EXIF, *TEXTS) or length > most:
        return False
    body = _sound(file, name, length)
    if body is None:
        return False
    return name == EXIF or (
        body.startswith(OLD_EXIF) and 0 < len(content_of(name, body)) < MOST_OLD_EXIF
    )


def _sound(file, name, length):
    """Return the content of a chunk, or `None` if its checksum is wrong."""
    body = file.read(length)
    is_sound = zlib.crc32(name + body) == int.from_bytes(file.read(4), "big")
    return body if is_sound else None


def with_chunks(content: bytes, chunks: Chunks) -> bytes:
    """Insert chunks after the header of a PNG file, in the given order."""
    return content[:HEADER] + joined(chunks) + content[HEADER:]


def joined(chunks: Chunks) -> bytes:
    """Serialize chunks."""
    return b"".join(
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )


def international_text(keyword: str, text: bytes) -> tuple[bytes, bytes]:
    """Create a chunk of UTF-8 text."""
    return b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text
