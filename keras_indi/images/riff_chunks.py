"""Metadata chunks of a WebP file."""

import struct
from collections.abc import Iterator
from typing import BinaryIO

# Chunks of pixels, and of further frames.
PIXELS = ("VP8 ", "VP8L", "VP8X", "ALPH", "ANIM", "ANMF")
MOST_CHUNKS = 2**20


def read_chunks(file: BinaryIO, stored_bytes: int) -> Iterator[tuple[str, bytes]]:
    """Yield the names and contents of the metadata chunks of a WebP file.

    Args:
        file: WebP file, opened for reading.
        stored_bytes: Int, its size.
    """
    place = 12
    for _ in range(MOST_CHUNKS):
        file.seek(place)
        head = file.read(8)
        if len(head) < 8 or place + 8 > stored_bytes:
            return
        name, length = struct.unpack("<4sI", head)
        if not name.strip().isalnum():
            return
        if name.decode() not in PIXELS:
            yield name.decode(), file.read(length)
        place += 8 + length + length % 2
