"""EXIF blocks as bytes: copied unchanged, or rewritten if they must change."""

import contextlib
import io
import re
import struct
from collections.abc import Mapping, Sequence
from typing import BinaryIO, NamedTuple

import numpy as np

from keras_indi.images.orientation import ORIENTATION, checked_orientation

PREFIX = b"Exif\0\0"
EXIF_DIRECTORY, GPS_DIRECTORY, INTEROP_DIRECTORY = 0x8769, 0x8825, 0xA005
TIFF_DIRECTORIES = {EXIF_DIRECTORY, GPS_DIRECTORY}
PLACES = {*TIFF_DIRECTORIES, INTEROP_DIRECTORY}  # tags that point to directories
# The directories within each directory. `None` is the main directory of the file.
WITHIN: dict[int | None, tuple[int, ...]] = {
    None: (EXIF_DIRECTORY, GPS_DIRECTORY),
    EXIF_DIRECTORY: (INTEROP_DIRECTORY,),
}
DIRECTORY_NAMES = {
    EXIF_DIRECTORY: "EXIF of the exposure",
    GPS_DIRECTORY: "EXIF of the place",
}
# Tags of a TIFF file's main directory that describe the photograph, not its storage:
# description, make, model, orientation, software, date, artist, copyright; names of
# document, page and computer; ratings, and the texts of Windows. EXIF has them too.
TIFF_TAGS = {0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298}
TIFF_TAGS |= {0x010D, 0x011D, 0x013C, 0x4746, 0x4749, *range(0x9C9B, 0x9CA0)}
TIFF_TAGS |= {0xC4A5}  # print image matching
# Tags of a TIFF file's main directory that describe how the image is stored.
STORAGE_TAGS = {*range(254, 260), *range(262, 267), *range(277, 282), *range(320, 327)}
STORAGE_TAGS |= {273, ORIENTATION, 282, 283, 284, *range(288, 294), 296, 297, 317}
STORAGE_TAGS |= {*range(327, 350), *range(512, 522), *range(529, 533), 559, 40965}
STORAGE_TAGS |= {*TIFF_DIRECTORIES, 32995, *range(32996, 32999), 34852}
MAKER_NOTE = 0x927C
# Prefixes of maker notes whose offsets are relative to the note and stay inside it.
# The offsets of Olympus may point behind the note.
OF_ITSELF = (b"Apple iOS\0", b"FUJIFILM", b"Nikon\0\2")
ORDERS = {b"II": "<", b"MM": ">"}
SHORT, LONG, UNDEFINED = 3, 4, 7  # types of tags
# Integer types that an orientation may have, and types of directory offsets.
NUMBERS = {SHORT: "<u2", LONG: "<u4", 6: "i1", 8: "<i2", 9: "<i4"}
POINTERS = {LONG: (4, 4), 13: (4, 4), 16: (8, 8), 18: (8, 8)}
MOST_BYTES = 2**26  # limit for the values of a directory
BIG_TIFF = 43
WIDE_TEXT = b"UNICODE\0"  # prefix of text with 16 bits per character
# Bytes per value of each type, and bytes per unit that byte order applies to.
TYPES = {1: (1, 1), 2: (1, 1), 3: (2, 2), 4: (4, 4), 5: (8, 4), 6: (1, 1), 7: (1, 1)}
TYPES |= {8: (2, 2), 9: (4, 4), 10: (8, 4), 11: (4, 4), 12: (8, 8)}
# A description of how the file stores its image. It does not apply to the result.
DESCRIPTION = 0x010E
OF_STORAGE = re.compile(r"""\{"shape"|ImageJ=|(<\?xml.*?)?<OME\b""", re.S)
# Tags of width and height in the main directory, and in the EXIF directory.
SIZE_TAGS = (0x0100, 0x0101)
EXIF_SIZE_TAGS = (0xA002, 0xA003)


class RawTag(NamedTuple):
    """A tag in little-endian form: code, type, number of values, bytes."""

    code: int
    type: int
    number: int
    value: bytes

    @property
    def name(self) -> str:
        """Name of the tag for messages."""
        from PIL import ExifTags, TiffTags

        known = ExifTags.TAGS.get(self.code) or TiffTags.lookup(self.code).name
        return f"tag {self.code}" if known in (None, "unknown") else str(known)

    @property
    def is_of_storage(self) -> bool:
        """Whether the tag describes how the image is stored."""
        return self.code in STORAGE_TAGS or (
            self.code == DESCRIPTION and self.value.startswith(b'{"shape"')
        )


Directories = dict[int | None, list[RawTag]]


def raw_tag(code: int, kind: int, count: int, value: bytes, order: str) -> RawTag:
    """Create a `RawTag` from bytes in byte order `"<"` or `">"`."""
    begin, width = 0, (TYPES | POINTERS)[kind][1]
    if kind == UNDEFINED and value.startswith(WIDE_TEXT) and len(value) % 2 == 0:
        begin, width = len(WIDE_TEXT), 2
    if order == ">" and width > 1:
        turned = np.frombuffer(value[begin:], f">u{width}").astype(f"<u{width}")
        value = value[:begin] + turned.tobytes()
    return RawTag(code, kind, count, value)


# === Reading ===


def raw_tags(block: bytes) -> list[RawTag]:
    """Return the tags of a block's main directory, without damaged ones."""
    return directories(block)[None]


def directories(block: bytes) -> Directories:
    """Return the directories of a block; the main one has the key `None`.

    Damaged tags and pointers to directories are left out.
    """
    return _directories(io.BytesIO(block))


def of_tiff(file: BinaryIO) -> bytes:
    """Return the EXIF block of a TIFF file, without tags that describe its storage.

    Args:
        file: The file, opened for reading.
    """
    found = _directories(file, TIFF_TAGS)
    found[None] = [
        as_orientation(tag) if tag.code == ORIENTATION else tag
        for tag in found[None]
        if tag.code != DESCRIPTION or not OF_STORAGE.match(tag.value.decode("latin-1"))
    ]
    return as_bytes(found)


def parts(block: bytes) -> dict[str, int]:
    """Count the content of a block: main tags by name, other tags by directory."""
    found = directories(block)
    if block and not any(found.values()):
        return {"EXIF": 1}  # damaged
    own = [tag for tag in found[None] if not tag.is_of_storage]
    named = {f"EXIF {tag.name}": 1 for tag in own}
    return named | counts(found)


def counts_of_tiff(file: BinaryIO) -> dict[str, int]:
    """Count the tags in the directories of an open TIFF file, like `counts`."""
    return counts(_directories(file, set()))


def counts(found: Mapping[int | None, Sequence[RawTag]]) -> dict[str, int]:
    """Count the tags of each directory, by directory name."""
    # A pointer to a missing directory counts as 1, so that the directory is named.
    numbers = {tag: max(1, len(found[tag])) for tag in DIRECTORY_NAMES if tag in found}
    if INTEROP_DIRECTORY in found:
        numbers[EXIF_DIRECTORY] += len(found[INTEROP_DIRECTORY])
    return {DIRECTORY_NAMES[tag]: number for tag, number in numbers.items()}


def has_places(block: bytes) -> bool:
    """Return whether the maker note may contain offsets that moving it would break."""
    tags = directories(block).get(EXIF_DIRECTORY, ())
    notes = [tag.value for tag in tags if tag.code == MAKER_NOTE]
    return any(note and not note.startswith(OF_ITSELF) for note in notes)


def as_orientation(tag: RawTag) -> RawTag:
    """Normalize an orientation tag: a valid orientation, or 1 if it has none."""
    said = None
    if tag.type in NUMBERS and tag.number == 1:
        said = int(np.frombuffer(tag.value, NUMBERS[tag.type])[0])
    value = struct.pack("<H", checked_orientation(said))
    return RawTag(ORIENTATION, SHORT, 1, value)


def _directories(file: BinaryIO, own: set[int] | None = None) -> Directories:
    """Read the directories of a block or TIFF file; the main one is empty if damaged.

    `own` limits the tags of the main directory to some codes, because the tags of a
    TIFF file can be very large.
    """
    found: Directories = {None: []}
    with contextlib.suppress(struct.error):  # the block ends early
        order, is_big, place = _header(file)
        wanted = None if own is None else own | PLACES
        found[None] = _directory(file, place, order, is_big, wanted)
        for group, codes in WITHIN.items():
            for code in codes:
                tags = found.get(group, ())
                pointer = next((tag for tag in tags if tag.code == code), None)
                if pointer is not None:
                    at = int.from_bytes(pointer.value, "little")
                    found[code] = _directory(file, at, order, is_big)
    return {
        group: [tag for tag in tags if tag.code not in PLACES]
        for group, tags in found.items()
    }


def _header(file):
    """Return byte order, whether offsets have 64 bits, and the first offset."""
    file.seek(0)
    head = file.read(16)
    order = ORDERS.get(head[:2])
    if order is None:
        raise struct.error("no order of bytes")
    is_big = struct.unpack_from(f"{order}H", head, 2) == (BIG_TIFF,)
    (place,) = struct.unpack_from(f"{order}{'8xQ' if is_big else '4xI'}", head)
    return order, is_big, place


def _directory(file, place, order, is_big, wanted=None):
    """Return the valid tags of a directory."""
    counted, entry, inline = ("Q", "HHQ", 8) if is_big else ("H", "HHI", 4)
    found: list[RawTag] = []
    try:
        file.seek(place)
        (number,) = _read(file, order + counted)
        begin, left = file.tell(), MOST_BYTES
        size = struct.calcsize(order + entry) + inline
        for at in range(begin, begin + size * min(number, 2**16), size):
            file.seek(at)
            code, kind, count = _read(file, order + entry)
            types = POINTERS if code in PLACES else TYPES
            if wanted is not None and code not in wanted:
                continue
            if kind not in types or types[kind][0] * count > left:
                continue
            length = types[kind][0] * count
            left -= length
            if length > inline:
                (there,) = _read(file, order + ("Q" if is_big else "I"))
                file.seek(there)
            value = file.read(length)
            if len(value) == length:
                found.append(raw_tag(code, kind, count, value, order))
    except (struct.error, OSError, ValueError, OverflowError):
        pass  # the file ends early, or an offset lies outside it
    return found


def _read(file, format):
    return struct.unpack(format, file.read(struct.calcsize(format)))


# === Writing ===


def as_bytes(found: Directories) -> bytes:
    """Serialize the result of `directories` as a block. Empty if there are no tags."""
    return b"II*\0\x08\0\0\0" + tree(found, None, 8) if any(found.values()) else b""


def tree(found: Directories, group: int | None, place: int) -> bytes:
    """Serialize a directory and those within it, for an offset in a little-endian file.

    Args:
        found: As of `directories`.
        group: Int, the directory's key in `found`, or `None` for the main directory.
        place: Int, even, offset in the file where the result will be written.
    """
    within = [code for code in WITHIN.get(group, ()) if found.get(code)]
    own = {tag.code: tag for tag in found[group]}
    for code in within:
        own[code] = RawTag(code, LONG, 1, bytes(4))
    end = place + len(_directory_bytes(own, place))
    bodies = b""
    for code in within:
        at = end + len(bodies)
        own[code] = RawTag(code, LONG, 1, struct.pack("<I", at))
        bodies += tree(found, code, at)
    return _directory_bytes(own, place) + bodies


def _directory_bytes(tags: Mapping[int, RawTag], place: int) -> bytes:
    entries, values = b"", b""
    begin = place + 2 + 12 * len(tags) + 4
    for code in sorted(tags):
        _, kind, number, value = tags[code]
        entries += struct.pack("<HHI", code, kind, number)
        if len(value) <= 4:
            entries += value.ljust(4, b"\0")
        else:
            entries += struct.pack("<I", begin + len(values))
            values += value + bytes(len(value) % 2)
    return struct.pack("<H", len(tags)) + entries + bytes(4) + values


def without_thumbnail(block: bytes) -> bytes:
    """Return a block whose main directory is the last, so that no thumbnail follows.

    All other bytes stay in place, because maker notes contain offsets into the block.
    """
    order = ORDERS.get(block[:2])
    changed = bytearray(block)
    with contextlib.suppress(struct.error):  # it ends early or has no byte order
        (first,) = struct.unpack_from(f"{order}I", block, 4)
        (number,) = struct.unpack_from(f"{order}H", block, first)
        struct.pack_into(f"{order}I", changed, first + 2 + 12 * number, 0)
    return bytes(changed)


def resized(block: bytes, height: int, width: int) -> bytes:
    """Return a block with width and height updated, if it contains them.

    All other bytes stay in place, because maker notes contain offsets into the block.
    """
    order = ORDERS.get(block[:2])
    changed = bytearray(block)
    with contextlib.suppress(struct.error):  # it ends early or has no byte order
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
