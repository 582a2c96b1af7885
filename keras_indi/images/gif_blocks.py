"""The extensions of a GIF file: what it holds beside its pictures."""

from typing import BinaryIO, NamedTuple

COMMENT, TEXT, APPLICATION = 0xFE, 0x01, 0xFF
XMP, PROFILE = b"XMP DataXMP", b"ICCRGBG1012"
# Of frames: how often they are shown.
OF_FRAMES = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
# What ends XMP, so that a reader which knows none finds the end of its blocks.
END_OF_XMP = bytes([1, *range(255, -1, -1)])
MOST_BLOCKS = 2**20
MOST_BYTES = 2**24


class Extension(NamedTuple):
    """An extension: its kind, the application's name, and the content."""

    kind: int
    application: bytes
    content: bytes


def read_extensions(file: BinaryIO) -> list[Extension]:
    """The comments, texts and applications' extensions of a GIF file.

    Args:
        file: GIF file that a decoder has accepted, opened for reading.
    """
    found: list[Extension] = []
    file.seek(0)
    head = file.read(13).ljust(13, b"\0")
    file.seek(_table_bytes(head[10]), 1)
    left = MOST_BYTES
    for _ in range(MOST_BLOCKS):
        kind = file.read(1)
        if kind == b",":
            image = file.read(9).ljust(9, b"\0")
            file.seek(_table_bytes(image[8]) + 1, 1)
            _sub_blocks(file, 0)
        elif kind == b"!":
            label = file.read(1)[:1]
            blocks = _sub_blocks(file, left)
            left -= sum(map(len, blocks))
            if label and label[0] in (COMMENT, TEXT, APPLICATION) and blocks:
                found.append(_extension(label[0], blocks))
        else:  # the end
            break
    return found


def _extension(kind, blocks):
    if kind != APPLICATION:
        return Extension(kind, b"", b"".join(blocks))
    application, *rest = blocks
    if application == XMP:  # whose bytes are no blocks: their lengths are part of it
        packet = b"".join(bytes([len(block)]) + block for block in rest)
        content, _, _ = packet.rpartition(END_OF_XMP[:-1])
        return Extension(kind, application, content or packet)
    return Extension(kind, application, b"".join(rest))


def _table_bytes(flags: int) -> int:
    """The size of a table of colours."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(file, most):
    """The contents of blocks, as many bytes as they may have."""
    blocks = []
    for _ in range(MOST_BLOCKS):
        length = file.read(1)
        if not length or not length[0]:
            break
        block = file.read(length[0])
        most -= len(block)
        if most >= 0:
            blocks.append(block)
    return blocks
