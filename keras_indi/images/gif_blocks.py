"""Extension blocks of a GIF file: comments, texts and application data."""

from typing import BinaryIO, NamedTuple

COMMENT, TEXT, APPLICATION = 0xFE, 0x01, 0xFF
XMP, PROFILE = b"XMP DataXMP", b"ICCRGBG1012"
# Application extensions that only set how often an animation repeats.
OF_FRAMES = (b"NETSCAPE2.0", b"ANIMEXTS1.0")
# Trailer of XMP, with which readers that do not support XMP find the end of blocks.
END_OF_XMP = bytes([1, *range(255, -1, -1)])
MOST_BLOCKS = 2**20
MOST_BYTES = 2**24


class Extension(NamedTuple):
    """An extension: its kind, the application's name, and the content."""

    kind: int
    application: bytes
    content: bytes


def read_extensions(file: BinaryIO) -> list[Extension]:
    """Read the comment, text and application extensions of a GIF file.

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
    if application == XMP:  # not in blocks: the block lengths are part of its bytes
        packet = b"".join(bytes([len(block)]) + block for block in rest)
        content, _, _ = packet.rpartition(END_OF_XMP[:-1])
        return Extension(kind, application, content or packet)
    return Extension(kind, application, b"".join(rest))


def _table_bytes(flags: int) -> int:
    """Return the size of a colour table."""
    return 3 * 2 ** ((flags & 7) + 1) if flags & 0x80 else 0


def _sub_blocks(file, most):
    """Read the contents of sub-blocks, up to a number of bytes."""
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
