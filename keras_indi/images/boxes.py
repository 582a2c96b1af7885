"""The boxes of AVIF and HEIC files: what their pixels mean, and what else they hold."""

import struct
from typing import Any, BinaryIO

# Bytes at a file's beginning in which its boxes of properties lie.
MOST_BYTES = 2**20
# Boxes of the picture and of what is said of it.
OF_THE_PICTURE = (b"ftyp", b"meta", b"mdat", b"free", b"skip", b"uuid")
# Numbers of colours and curves, of H.273, that are sRGB's, nearly so or not said.
SRGB_COLOURS, SRGB_CURVES = (1, 2), (1, 2, 6, 13, 14, 15)


def pixels_said(file: BinaryIO) -> dict[str, Any]:
    """What a file says of its pixels that its decoder does not pass on.

    Args:
        file: AVIF or HEIC file that a decoder has accepted, opened for reading.

    Returns:
        Dict of `"bit_depth"`, of an AVIF file; and of `"cicp"`, bytes of the content of
        PNG's chunk, where its colours are numbers that are not sRGB's.
    """
    file.seek(0)
    content = file.read(MOST_BYTES)
    said: dict[str, Any] = {}
    # The first box of each kind is the picture's; further ones are of maps beside it.
    coding = content.partition(b"av1C")[2][:3]
    if len(coding) == 3:
        said["bit_depth"] = 8 + 2 * (coding[2] >> 6 & 1) * (1 + (coding[2] >> 5 & 1))
    numbers = content.partition(b"colrnclx")[2][:4]
    if len(numbers) == 4:
        colours, curve = struct.unpack(">HH", numbers)
        is_srgb = colours in SRGB_COLOURS and curve in SRGB_CURVES
        if not is_srgb and max(colours, curve) < 256:
            said["cicp"] = bytes([colours, curve, 0, 1])  # RGB, of the full range
    return said


def other_boxes(content: bytes) -> bytes:
    """The boxes of a file that are not of its picture, such as a video.

    Args:
        content: Bytes of the file.
    """
    place, found = 0, b""
    while place < len(content):
        head = content[place : place + 16]
        size, kind = int.from_bytes(head[:4], "big"), head[4:8]
        if size == 1:
            size = int.from_bytes(head[8:16], "big")
        if size < 8:  # the last one, or none
            size = len(content) - place
        if kind not in OF_THE_PICTURE:
            found += content[place : place + size]
        place += size
    return found
