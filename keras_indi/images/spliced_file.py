"""A file without some of its parts, for parsers that would fail on them."""

import bisect
import io
import os
from collections.abc import Iterable
from typing import BinaryIO


class SplicedFile(io.RawIOBase):
    """A read-only file that skips some ranges of its bytes.

    Args:
        file: File opened for reading.
        size: Int, its size in bytes.
        left_out: Pairs of ints, begin and end of the ranges to skip, in order.
    """

    def __init__(
        self, file: BinaryIO, size: int, left_out: Iterable[tuple[int, int]]
    ) -> None:
        self._file = file
        self._begins: list[int] = []  # offsets of the parts in this file
        self._parts: list[tuple[int, int]] = []  # offset and length in the original
        self._place = self._size = begin = 0
        for end, after in [*left_out, (size, size)]:
            if end > begin:
                self._begins.append(self._size)
                self._parts.append((begin, end - begin))
                self._size += end - begin
            begin = after

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._place

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        from_there = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: self._size}
        self._place = max(0, from_there[whence] + offset)
        return self._place

    def read(self, size: int | None = -1) -> bytes:
        left = self._size - self._place
        if size is not None and size >= 0:
            left = min(size, left)
        blocks = []
        while left > 0:
            index = bisect.bisect(self._begins, self._place) - 1
            begin, length = self._parts[index]
            within = self._place - self._begins[index]
            self._file.seek(begin + within)
            block = self._file.read(min(left, length - within))
            if not block:
                break
            blocks.append(block)
            self._place += len(block)
            left -= len(block)
        return b"".join(blocks)

    def readall(self) -> bytes:
        return self.read()
