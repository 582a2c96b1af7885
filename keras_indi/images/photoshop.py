"""Resources of Photoshop, as JPEG and TIFF files store them, with IPTC among them."""

import struct

SIGNATURE = b"8BIM"
IPTC_RESOURCE = 1028
IPTC_START = SIGNATURE + IPTC_RESOURCE.to_bytes(2, "big")
THUMBNAILS = {1033, 1036}


def resource(number: int, content: bytes) -> bytes:
    """Serialize a resource without a name."""
    head = SIGNATURE + struct.pack(">HxxI", number, len(content))
    return head + content + bytes(len(content) % 2)


def without_thumbnails(resources: bytes) -> bytes:
    """Return resources without those that show the image in small.

    Whatever cannot be parsed is kept.
    """
    kept, at = b"", 0
    while at + 12 <= len(resources) and resources[at : at + 4] == SIGNATURE:
        (number,) = struct.unpack_from(">H", resources, at + 4)
        # The name: its length and characters, padded to an even size.
        begin = at + 6 + (resources[at + 6] + 2) // 2 * 2
        if begin + 4 > len(resources):
            break
        (size,) = struct.unpack_from(">I", resources, begin)
        end = begin + 4 + size + size % 2
        if end - size % 2 > len(resources):
            break
        kept += b"" if number in THUMBNAILS else resources[at:end]
        at = end
    return kept + resources[at:]
