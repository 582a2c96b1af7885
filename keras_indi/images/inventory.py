"""Names of the metadata in files, to report what a copy lacks."""

import collections
import contextlib
from collections.abc import Mapping
from typing import Any, BinaryIO

from keras_indi.annotations import FilePath
from keras_indi.images import (
    bmp_header,
    density,
    exif,
    gif_blocks,
    jpeg_segments,
    photoshop,
    png_chunks,
    riff_chunks,
)
from keras_indi.images.formats import opened_file
from keras_indi.images.tiff_files import opened_tiff

Parts = collections.Counter[str]
PROFILE, DENSITY, XMP, IPTC = "colour profile", "pixel density", "XMP", "IPTC"
EXTENDED_XMP, COMMENT, TEXT, ASPECT = "extended XMP", "comment", "text", "pixel aspect"
RESOURCES = "Photoshop resources"
# Readable names for chunks.
CHUNK_NAMES = {"caBX": "C2PA manifest", "tIME": "date of change", "XMP ": XMP}
PROFILE_TAG, XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG = 34675, 700, 33723, 34377


def parts_of(file: BinaryIO, format: str, stored_bytes: int) -> Parts | None:
    """Count the metadata of an image file, by name.

    Args:
        file: File of a valid image, opened for reading.
        format: String, its format.
        stored_bytes: Int, its size.

    Returns:
        `collections.Counter`, or `None` if the format is not supported.
    """
    readers = {"JPEG": _of_jpeg, "PNG": _of_png, "WEBP": _of_webp, "TIFF": _of_tiff}
    readers |= {"GIF": _of_gif, "BMP": _of_bmp}
    return readers[format](file, stored_bytes) if format in readers else None


def lost(before: Mapping[str, int], path: FilePath) -> list[str]:
    """List the metadata that a written file lacks, compared with another one.

    Args:
        before: Metadata of the other file, as returned by `parts_of`.
        path: Path of the written file.

    Returns:
        List of names.
    """
    with opened_file(path) as (file, format, size):
        return missing(before, parts_of(file, format, size) or {})


def missing(before: Mapping[str, int], after: Mapping[str, int]) -> list[str]:
    """List the names with lower counts; one name for all of EXIF if none is left."""
    names = [name for name, count in before.items() if after.get(name, 0) < count]
    of_exif = [name for name in before if name.startswith("EXIF")]
    if "EXIF" in before and any(name.startswith("EXIF") for name in after):
        names = [name for name in names if name != "EXIF"]  # of which no more is known
    elif of_exif and not any(name in after for name in of_exif):
        names = ["EXIF", *(name for name in names if name not in of_exif)]
    return [f"part of its {name}" if name in after else name for name in names]


def _of_jpeg(file, stored_bytes):
    segments = jpeg_segments.read_segments(file)
    found = collections.Counter()
    for segment in segments:
        if segment.marker == jpeg_segments.COMMENT:
            found[COMMENT] += 1
        elif not segment.is_of((*jpeg_segments.OF_THE_FILE, *jpeg_segments.KNOWN)):
            found[segment.name] += 1
        elif segment.marker == jpeg_segments.APP11:
            found[segment.name] = 1
        elif segment.body[:4] == b"JFIF":
            body = segment.body
            found.update(_of_density(body[7:8], body[8:10], body[10:12]))
    found.update(exif.parts(jpeg_segments.joined(segments, 0xE1, jpeg_segments.EXIF)))
    resources = jpeg_segments.joined(segments, 0xED, jpeg_segments.PHOTOSHOP)
    for name, content in (
        (XMP, jpeg_segments.joined(segments, 0xE1, jpeg_segments.XMP)),
        (
            EXTENDED_XMP,
            jpeg_segments.joined(segments, 0xE1, jpeg_segments.EXTENDED_XMP),
        ),
        (PROFILE, jpeg_segments.profile_of(segments)),
    ):
        found[name] += bool(content)
    return +(found + _of_photoshop(resources))


def _of_photoshop(resources):
    kept = photoshop.without_thumbnails(resources)
    name = IPTC if photoshop.IPTC_START in kept else RESOURCES
    return collections.Counter({name: int(bool(kept))})


def _of_density(unit, across, down):
    if unit in (b"\1", b"\2"):
        return {DENSITY: 1}
    return {ASPECT: 1} if across != down else {}


def _of_png(file, stored_bytes):
    chunks = png_chunks.read_chunks(file, stored_bytes, damaged=True)
    found = collections.Counter()
    depth = dict(chunks).get(b"IHDR", bytes(13))[8]
    # `sRGB` is the default for files without a profile, so nothing is lost with it.
    meant = png_chunks.COLOURS if b"sRGB" in dict(chunks) else ()
    for name, body in chunks:
        if name == b"eXIf":
            found.update(exif.parts(body.removeprefix(exif.PREFIX)))
        elif name == b"pHYs":
            found.update(_of_density(body[8:9], body[:4], body[4:8]))
        elif name in (b"IHDR", *meant) or (name, set(body)) == (b"sBIT", {depth}):
            continue
        elif body.startswith(png_chunks.OLD_EXIF):
            found["EXIF"] = 1
        else:
            found[chunk_name(name, body)] += 1
    return found


def chunk_name(name: bytes, body: bytes) -> str:
    """Return the name of a PNG chunk for messages."""
    if name == b"iCCP":
        return PROFILE
    if name in png_chunks.TEXTS:
        if body.startswith(png_chunks.XMP_KEYWORD):
            return XMP
        return COMMENT if body.startswith(b"Comment\0") else TEXT
    return CHUNK_NAMES.get(name.decode(), name.decode())


def _of_webp(file, stored_bytes):
    found = collections.Counter()
    for name, content in riff_chunks.read_chunks(file, stored_bytes):
        if name == "EXIF":
            found.update(exif.parts(content.removeprefix(exif.PREFIX)))
        else:
            known = {"ICCP": PROFILE, **CHUNK_NAMES}
            found[known.get(name, name.strip())] = 1
    return found


def _of_gif(file, stored_bytes):
    known = {gif_blocks.XMP: XMP, gif_blocks.PROFILE: PROFILE}
    found = collections.Counter()
    for kind, application, _ in gif_blocks.read_extensions(file):
        if kind != gif_blocks.APPLICATION:
            found[COMMENT if kind == gif_blocks.COMMENT else TEXT] += 1
        elif application not in gif_blocks.OF_FRAMES:
            name = application.decode("latin-1").strip("\0 ")
            name = name if name.isascii() and name.isprintable() else "unnamed"
            found[known.get(application, f"data of an application ({name})")] = 1
    return found


def _of_bmp(file, stored_bytes):
    profile, other = bmp_header.read_colours(file)
    found = collections.Counter({PROFILE: bool(profile)})
    found[DENSITY] += bmp_header.has_density(file)
    if other is not None:
        found[other] += 1
    return +found


def _of_tiff(file, stored_bytes):
    file.seek(0)
    with opened_tiff(file) as tiff:
        return of_tiff_page(tiff.pages.first, file)


def of_tiff_page(page: Any, file: BinaryIO) -> Parts:
    """Count the metadata of a `tifffile.TiffPage`, like `parts_of`."""
    found: Parts = collections.Counter()
    resources = b""
    with contextlib.suppress(Exception):
        resources = bytes(page.tags.valueof(PHOTOSHOP_TAG) or b"")
    names = {
        PROFILE_TAG: PROFILE,
        XMP_TAG: XMP,
        IPTC_TAG: IPTC,
        **exif.DIRECTORY_NAMES,
    }
    found[DENSITY] += density.of_tiff(page) is not None
    for tag in page.tags:
        if tag.code in names:
            found[names[tag.code]] = 1
        elif tag.code == PHOTOSHOP_TAG:
            found |= _of_photoshop(resources)
        else:
            raw = exif.RawTag(tag.code, 0, 0, _start(file, tag))
            if not raw.is_of_storage:
                found[f"EXIF {raw.name}"] = 1
    return +(found | collections.Counter(exif.counts_of_tiff(file)))


def _start(file, tag):
    """Read the first bytes of a tag's value."""
    file.seek(tag.valueoffset)
    return file.read(16)
