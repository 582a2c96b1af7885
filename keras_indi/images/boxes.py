"""Boxes of AVIF and HEIC files: pixel format and content other than the image."""

import struct
from typing import Any, BinaryIO

# Number of bytes at the start of a file that are searched for property boxes.
MOST_BYTES = 2**20
# Boxes of the image and of its metadata.
OF_THE_PICTURE = (b"ftyp", b"meta", b"mdat", b"free", b"skip", b"uuid")
# H.273 codes of primaries and curves that are sRGB, close to sRGB or unspecified.
SRGB_COLOURS, SRGB_CURVES = (1, 2), (1, 2, 6, 13, 14, 15)


def pixels_said(file: BinaryIO) -> dict[str, Any]:
    """Read pixel properties that the decoder does not pass on.

    Args:
        file: AVIF or HEIC file that a decoder has accepted, opened for reading.

    Returns:
        Dict. `"bit_depth"` is present for AVIF files. `"cicp"`, the content of a PNG
        `cICP` chunk, is present if the file declares colours other than sRGB.
    """
    file.seek(0)
    content = file.read(MOST_BYTES)
    said: dict[str, Any] = {}
    # The first box of each kind belongs to the image, later ones to auxiliary maps.
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
    """Return the boxes that do not belong to the image, such as a video.

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
