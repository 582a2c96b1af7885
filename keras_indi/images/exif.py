"""EXIF blocks as bytes: kept as they are, or rewritten where they must change."""

import contextlib
import re
import struct
from typing import Any, BinaryIO, NamedTuple

import numpy as np

from keras_indi.images.orientation import ORIENTATION, checked_orientation

PREFIX = b"Exif\0\0"
EXIF_DIRECTORY, GPS_DIRECTORY, INTEROP_DIRECTORY = 0x8769, 0x8825, 0xA005
TIFF_DIRECTORIES = {EXIF_DIRECTORY, GPS_DIRECTORY}
DIRECTORY_NAMES = {
    EXIF_DIRECTORY: "EXIF of the exposure",
    GPS_DIRECTORY: "EXIF of the place",
}
# Of a TIFF file's own directory, the tags of the photograph, not of its storage, that
# an EXIF block has: description, make, model, orientation, software, date, artist,
# copyright; names of document, page and computer; ratings, and Windows's own texts.
TIFF_TAGS = {0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298}
TIFF_TAGS |= {0x010D, 0x011D, 0x013C, 0x4746, 0x4749, *range(0x9C9B, 0x9CA0)}
# The tags of TIFF's own directory that say how the file stores its image.
STORAGE_TAGS = {*range(254, 260), *range(262, 267), *range(277, 282), *range(320, 327)}
STORAGE_TAGS |= {273, ORIENTATION, 282, 283, 284, *range(288, 294), 296, 297, 317}
STORAGE_TAGS |= {*range(327, 350), *range(512, 522), *range(529, 533), 559, 40965}
STORAGE_TAGS |= {*TIFF_DIRECTORIES, 32995, *range(32996, 32999), 34852}
MAKER_NOTE = 0x927C
# How notes of cameras begin whose places count from their own beginning.
OF_ITSELF = (b"Apple iOS\0", b"FUJIFILM", b"Nikon\0\2", b"OLYMPUS\0", b"OM SYSTEM\0")
ORDERS = {b"II": "<", b"MM": ">"}
LONG = 4  # type of whole numbers of 32 bits
# Bytes of a value of each type, and of what in it is turned by the byte order.
TYPES = {1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1)}
TYPES |= {8: (2, 2), 9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8)}
# A description of how the file stores its image, which a result stores in
# its own way.
DESCRIPTION = 0x010E
OF_STORAGE = re.compile(r"""\{"shape"|ImageJ=|(<\?xml.*?)?<OME\b""", re.S)
# Of width and height: in a file's own directory, and in that of EXIF.
SIZE_TAGS = (0x0100, 0x0101)
EXIF_SIZE_TAGS = (0xA002, 0xA003)


def parsed(block: bytes) -> Any:
    """A `PIL.Image.Exif` of a block; an empty one where it cannot be parsed."""
    from PIL import Image

    exif = Image.Exif()
    try:
        exif.load(PREFIX + block)
        dict(exif)
    except Exception:  # a damaged block says nothing; Pillow raises of all kinds
        return Image.Exif()
    return exif


class RawTag(NamedTuple):
    """A tag as a little-endian file has it: code, type, number of values, bytes."""

    code: int
    type: int
    number: int
    value: bytes

    @property
    def name(self) -> str:
        """How a user may know it."""
        from PIL import ExifTags, TiffTags

        known = ExifTags.TAGS.get(self.code) or TiffTags.lookup(self.code).name
        return f"tag {self.code}" if known in (None, "unknown") else str(known)

    @property
    def is_of_storage(self) -> bool:
        """Whether it says how the file stores its image."""
        return self.code in STORAGE_TAGS or (
            self.code == DESCRIPTION and self.value.startswith(b'{"shape"')
        )


def raw_tag(code: int, kind: int, count: int, value: bytes, order: str) -> RawTag:
    """A `RawTag` of bytes in an order, `"<"` or `">"`."""
    width = TYPES[kind][1]
    if order == ">" and width > 1:
        value = np.frombuffer(value, f">u{width}").astype(f"<u{width}").tobytes()
    return RawTag(code, kind, count, value)


def raw_tags(block: bytes) -> list[RawTag]:
    """The tags of a block's own directory, without damaged ones."""
    order = ORDERS.get(block[:2])
    found: list[RawTag] = []
    with contextlib.suppress(struct.error):  # it ends early
        (place,) = struct.unpack_from(f"{order}I", block, 4) if order else (2**32,)
        (number,) = struct.unpack_from(f"{order}H", block, place)
        for entry in range(place + 2, place + 2 + 12 * number, 12):
            code, kind, count = struct.unpack_from(f"{order}HHI", block, entry)
            if kind not in TYPES:
                continue
            size = TYPES[kind][0] * count
            begin = entry + 8
            if size > 4:
                (begin,) = struct.unpack_from(f"{order}I", block, begin)
            value = block[begin : begin + size]
            if len(value) == size:
                found.append(raw_tag(code, kind, count, value, order or "<"))
    return found


def parts(block: bytes) -> dict[str, int]:
    """What a block says: names of its own tags, and how many its directories have."""
    tags = raw_tags(block)
    if block and not tags:
        return {"EXIF": 1}  # damaged
    own = [tag for tag in tags if not tag.is_of_storage]
    found = directories(parsed(block)) if block else {}
    return {
        **{f"EXIF {tag.name}": 1 for tag in own},
        **{DIRECTORY_NAMES[tag]: len(found[tag]) for tag in found},
    }


def has_places(block: bytes) -> bool:
    """Whether a camera's note in a block may name places in it, and so cannot move."""
    directory = directories(parsed(block)).get(EXIF_DIRECTORY, {}) if block else {}
    note = directory.get(MAKER_NOTE, b"")
    return bool(note) and not (isinstance(note, bytes) and note.startswith(OF_ITSELF))


def as_bytes(exif: Any) -> bytes:
    """The block of a `PIL.Image.Exif`, empty where that cannot be written.

    Text goes through byte for byte, as it was: Pillow would write ASCII alone.
    """
    own = {tag: exif[tag] for tag in exif if tag not in TIFF_DIRECTORIES}
    found = directories(exif)
    if not own and not found:
        return b""
    head, places = b"II*\0\x08\0\0\0", dict.fromkeys(found, 0)
    end = len(head) + len(directory_bytes(None, {**own, **places}, len(head)))
    bodies = b""
    for tag, directory in found.items():
        end += end % 2
        places[tag] = end
        body = directory_bytes(tag, directory, end) or bytes(6)  # one of no tags
        bodies += bytes(len(bodies) % 2) + body
        end = places[tag] + len(body)
    first = head + directory_bytes(None, {**own, **places}, len(head))
    return first + bytes(len(first) % 2) + bodies


def text_bytes(text: str | bytes) -> bytes:
    """The bytes that Pillow read as text: it takes each for a character."""
    return text if isinstance(text, bytes) else text.encode("latin-1", "replace")


def directories(exif: Any) -> dict[int, dict]:
    """The directories of EXIF and GPS that a `PIL.Image.Exif` has."""
    found = {}
    for tag in TIFF_DIRECTORIES & set(exif):
        given = exif[tag]
        with contextlib.suppress(Exception):  # it may lead out of the block
            found[tag] = given if isinstance(given, dict) else exif.get_ifd(tag)
            if INTEROP_DIRECTORY in found[tag]:  # which is one, too
                found[tag] = dict(found[tag])
                inner = found[tag].pop(INTEROP_DIRECTORY)
                inner = inner if isinstance(inner, dict) else exif.get_ifd(0xA005)
                if inner:
                    found[tag][INTEROP_DIRECTORY] = inner
    return {tag: directory for tag, directory in found.items() if directory}


def directory_bytes(group: int | None, directory: dict, place: int) -> bytes:
    """A directory for a place in a little-endian TIFF file; empty if none can be
    written.

    Args:
        group: Int, one of `TIFF_DIRECTORIES`, or `None` of the file's own.
        directory: Dict of tags to values.
        place: Int, where in the file it will be.
    """
    written = _written(group, writable(group, directory))
    return written.tobytes(place) if len(written) else b""


def writable(group: int | None, directory: dict) -> dict:
    """The tags of a directory that Pillow can write: those that are not damaged.

    Args:
        group: As for `directory_bytes`.
        directory: Dict of tags to values.
    """
    return {
        tag: value
        for tag, value in directory.items()
        if _is_writable(group, tag, value)
    }


def _written(group, directory):
    from PIL import TiffImagePlugin, TiffTags

    written = TiffImagePlugin.ImageFileDirectory_v2(group=group)
    for tag, value in directory.items():
        if isinstance(value, str):  # of which Pillow writes ASCII alone
            written.tagtype[tag] = TiffTags.ASCII
            value = text_bytes(value)
        elif tag in TIFF_DIRECTORIES:
            written.tagtype[tag] = TiffTags.LONG
        written[tag] = value
    return written


def _is_writable(group, tag, value):
    try:
        _written(group, {tag: value}).tobytes()
    except Exception:  # Pillow raises of all kinds on what it has read itself
        return False
    return True


def of_tiff(file: BinaryIO) -> bytes:
    """The EXIF block of a TIFF file, without the tags of its storage.

    Args:
        file: The file, opened for reading.
    """
    from PIL import Image

    kept = Image.Exif()
    try:
        exif = Image.Exif()
        file.seek(0)
        exif.load_from_fp(file)
        for tag in TIFF_TAGS & set(exif):
            kept[tag] = exif[tag]
        if OF_STORAGE.match(str(kept.get(DESCRIPTION, ""))):
            del kept[DESCRIPTION]
        if ORIENTATION in kept:
            kept[ORIENTATION] = checked_orientation(kept[ORIENTATION])
        found = directories(exif)
        kept.update({tag: writable(tag, found[tag]) for tag in found})
    except Exception:
        return b""
    return as_bytes(kept)


def resized(block: bytes, height: int, width: int) -> bytes:
    """A block in which the width and height are right, where it names them.

    All else stays where it is: cameras write places within the block into their notes.
    """
    order = ORDERS.get(block[:2])
    changed = bytearray(block)
    with contextlib.suppress(struct.error):  # it ends early, or has no order
        (first,) = struct.unpack_from(f"{order}I", block, 4)
        found: list[tuple[int, tuple[int, int]]] = [(first, SIZE_TAGS)]
        for place, names in found:
            (number,) = struct.unpack_from(f"{order}H", block, place)
            for entry in range(place + 2, place + 2 + 12 * number, 12):
                code, _, _, value = struct.unpack_from(f"{order}HHII", block, entry)
                if code in names:
                    size = (width, height)[names.index(code)]
                    packed = struct.pack(f"{order}HHII", code, LONG, 1, size)
                    changed[entry : entry + 12] = packed
                elif code == EXIF_DIRECTORY and len(found) == 1:
                    found.append((value, EXIF_SIZE_TAGS))
    return bytes(changed)
