"""Metadata of image files, and which of it each format can store."""

import contextlib
import dataclasses
import os
from collections.abc import Iterable, Mapping
from typing import Any, BinaryIO

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import (
    bmp_header,
    density,
    exif,
    gif_blocks,
    inventory,
    jpeg_segments,
    photoshop,
    png_chunks,
)
from keras_indi.images.colour_profiles import sound_profile
from keras_indi.images.decoding import StoredImage
from keras_indi.images.exif import RawTag
from keras_indi.images.unusable import parsing

XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG = 700, 33723, 34377  # of TIFF
# Tags that are copied only from TIFF to TIFF: colours and georeferencing.
TIFF_ALONE = {318, 319, 33550, 33922, 34264, *range(34735, 34738), 42112, 42113}
MOST_BYTES = 2**26
# Maximum bytes that are written, so that outputs of all formats can be read again.
ROOM = dict.fromkeys(("exif", "xmp", "icc_profile", "photoshop", "iptc"), 2**23)
# Maximum bytes of a JPEG segment. Pillow raises for more.
JPEG_ROOM = {
    "exif": jpeg_segments.ROOM - len(exif.PREFIX),
    "xmp": jpeg_segments.ROOM - len(jpeg_segments.XMP),
}


@dataclasses.dataclass(frozen=True)
class Metadata:
    """Metadata of an image file, as the original bytes.

    Attributes:
        exif: Bytes of the EXIF block, starting at its byte order. Empty if there is
            none.
        has_moved: Bool, whether `exif` was assembled from the directories of a TIFF
            file.
        icc_profile: Bytes, or `None`.
        dpi: Pair of positive numbers, or `None`.
        xmp: Bytes, or `None`.
        extended_xmp: Tuple of `jpeg_segments.Segment`, the continuation of the XMP.
        comments: Tuple of bytes, comments of a JPEG or GIF file.
        photoshop: Bytes of the Photoshop resources, including IPTC, or `None`.
        iptc: Bytes of the separate IPTC block of a TIFF file, or `None`.
        chunks: Tuple of pairs, chunks of a PNG file. For AVIF and HEIC, a colour chunk.
        segments: Tuple of `jpeg_segments.Segment`, all other segments of a JPEG file.
        tags: Tuple of `exif.RawTag`, from the main directory of a TIFF file.
        parts: Dict of metadata names to counts: see `keras_indi.images.inventory`.
    """

    exif: bytes = b""
    has_moved: bool = False
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    extended_xmp: tuple[jpeg_segments.Segment, ...] = ()
    comments: tuple[bytes, ...] = ()
    photoshop: bytes | None = None
    iptc: bytes | None = None
    chunks: png_chunks.Chunks = ()
    segments: tuple[jpeg_segments.Segment, ...] = ()
    tags: tuple[RawTag, ...] = ()
    parts: Mapping[str, int] = dataclasses.field(default_factory=dict)

    def resized(self, factors: tuple[float, float], size: tuple[int, int]):
        """Return the metadata for an image enlarged by `factors` (rows, columns).

        Metadata that refers to pixel positions is left out.

        Args:
            factors: Pair of numbers.
            size: Pair of ints, height and width.
        """
        return dataclasses.replace(
            self,
            dpi=self.dpi and (self.dpi[0] * factors[1], self.dpi[1] * factors[0]),
            exif=exif.resized(self.exif, *size),
            chunks=tuple(c for c in self.chunks if c[0] not in png_chunks.OF_THE_SIZE),
            tags=tuple(tag for tag in self.tags if tag.code in exif.TIFF_TAGS),
        )

    def lost_in(self, path: FilePath, kind: str) -> list[str]:
        """List in sentences what a written file lacks or may misrepresent.

        Args:
            path: Path of the file.
            kind: String, name of the file's format in the sentence.
        """
        lost = lost_sentence(inventory.lost(self.parts, path), kind)
        if (kind == "TIFF" or self.has_moved) and exif.has_places(self.exif):
            lost.append("the camera's own note lies elsewhere, and may be misread")
        return lost

    def that_fits(self, format: str) -> "Metadata":
        """Return the metadata without what is too long for a format."""
        return dataclasses.replace(
            self, **{name: getattr(Metadata, name) for name in self._too_long(format)}
        )

    def _too_long(self, format):
        room = {**ROOM, **JPEG_ROOM} if format == "JPEG" else ROOM
        return [
            name
            for name, most in room.items()
            if len(getattr(self, name) or b"") > most
        ]


def lost_sentence(names: Iterable[str], kind: str) -> list[str]:
    """Return a list with a sentence on what a file lacks; empty if nothing is lost."""
    names = ", ".join(names)
    return [f"not kept in {kind}: {names}"] if names else []


def read_metadata(stored: StoredImage, file: BinaryIO) -> Metadata:
    """Read the metadata of an open image.

    Args:
        stored: `StoredImage` whose pixels have been read.
        file: The file, opened for reading.

    Returns:
        `Metadata`, without damaged parts, and without thumbnails, which would not show
        the restored image.
    """
    channels = stored.info.channels
    if stored.samples is not None:
        return of_tiff(stored.header, stored.tiff.byteorder, channels, file)
    header = stored.header
    with parsing():
        size = file.seek(0, os.SEEK_END)
        parts = inventory.parts_of(file, stored.info.format, size)
        found = _read(header, file, size)
    profile = found["icc_profile"]
    found["icc_profile"] = sound_profile(profile, channels)
    if header.format != "PNG":  # Pillow does not see all chunks of a PNG
        found["dpi"] = density.checked_dpi(header.info.get("dpi"))
    if header.format in ("JPEG", "MPO") and found["dpi"] == (72, 72):
        # Pillow reports 72 if the file contains no density.
        found["dpi"] = header.info.get("jfif_unit") in (1, 2) and (72, 72) or None
    metadata = Metadata(**found)
    if parts is None:
        parts = _parts(metadata)
    # A separate note covers profiles that are invalid or do not fit the pixels.
    if profile and metadata.icc_profile is None:
        parts = {n: c for n, c in parts.items() if n != inventory.PROFILE}
    block = exif.without_thumbnail(metadata.exif)
    return dataclasses.replace(metadata, parts=parts, exif=block)


def stored_profile(stored: StoredImage, file: BinaryIO) -> bytes:
    """Return the colour profile of a file, valid or not. Empty if there is none."""
    if stored.samples is not None:
        return stored.header.iccprofile or b""
    return _read(stored.header, file, file.seek(0, os.SEEK_END))["icc_profile"] or b""


def _read(header, file, size):
    """Return arguments of `Metadata` for a file opened with Pillow."""
    if header.format in ("JPEG", "MPO"):
        return _of_jpeg(jpeg_segments.read_segments(file))
    if header.format == "PNG":
        block = header.info["exif"]  # as `pillow_files` has found it
        return _of_png(block, png_chunks.read_chunks(file, size))
    if header.format == "GIF":
        return _of_gif(gif_blocks.read_extensions(file))
    if header.format == "BMP":
        return {"icc_profile": bmp_header.read_colours(file).profile}
    info, block = header.info, header.info.get("exif")
    chunks: png_chunks.Chunks = ()
    if "cicp" in info and not info.get("icc_profile"):  # colours of AVIF and HEIC
        chunks = ((b"cICP", info["cicp"]),)
    return {
        "exif": block.removeprefix(exif.PREFIX) if isinstance(block, bytes) else b"",
        "chunks": chunks,
        "icc_profile": info.get("icc_profile"),
        "xmp": as_xmp(info.get("xmp")),
    }


def _of_gif(extensions):
    def of(application):
        found = (e.content for e in extensions if e.application == application)
        return next(found, None) or None

    return {
        "icc_profile": of(gif_blocks.PROFILE),
        "xmp": of(gif_blocks.XMP),
        "comments": tuple(
            e.content for e in extensions if e.kind == gif_blocks.COMMENT and e.content
        ),
    }


def _of_jpeg(segments):
    known = jpeg_segments
    return {
        "exif": known.joined(segments, known.APP1, known.EXIF),
        "icc_profile": known.profile_of(segments),
        "xmp": known.joined(segments, known.APP1, known.XMP) or None,
        "extended_xmp": tuple(
            s for s in segments if s.is_of(((known.APP1, known.EXTENDED_XMP),))
        ),
        "comments": tuple(s.body for s in segments if s.marker == known.COMMENT),
        "photoshop": photoshop.without_thumbnails(
            known.joined(segments, known.APP13, known.PHOTOSHOP)
        )
        or None,
        "segments": tuple(
            s for s in segments if not s.is_of((*known.OF_THE_FILE, *known.KNOWN))
        ),
    }


def _of_png(block, chunks):
    known = dict(reversed(chunks))  # the first of each name
    profile = known.get(png_chunks.PROFILE)
    texts = [c for c in chunks if c[1].startswith(png_chunks.XMP_KEYWORD)]
    return {
        "exif": block,
        "icc_profile": profile
        and (png_chunks.content_of(png_chunks.PROFILE, profile) or profile),
        "xmp": (png_chunks.content_of(*texts[0]) or None) if texts else None,
        "dpi": density.of_png(known.get(png_chunks.DENSITY, b"")),
        "chunks": chunks,
    }


def _parts(metadata):
    """Count the metadata that was read, for formats without an inventory."""
    parts = dict(exif.parts(metadata.exif))
    for name, value in (
        (inventory.PROFILE, metadata.icc_profile),
        (inventory.DENSITY, metadata.dpi),
        (inventory.XMP, metadata.xmp),
    ):
        if value:
            parts[name] = 1
    if metadata.comments:
        parts[inventory.COMMENT] = len(metadata.comments)
    parts.update((inventory.chunk_name(*chunk), 1) for chunk in metadata.chunks)
    return parts


def as_xmp(xmp: Any) -> bytes | None:
    """Return XMP as bytes, or `None` if there is none."""
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    return xmp if isinstance(xmp, bytes) and xmp else None


def photoshop_resources(metadata: Metadata) -> bytes:
    """Return Photoshop resources, made from the IPTC block if needed; may be empty."""
    resources = metadata.photoshop
    if resources is None and metadata.iptc is not None:
        resources = photoshop.resource(photoshop.IPTC_RESOURCE, metadata.iptc)
    return resources or b""


def of_tiff(page: Any, byteorder: str, channels: int, file: Any) -> Metadata:
    """Read the metadata of a TIFF page.

    Args:
        page: A `tifffile.TiffPage`, the first of its file.
        byteorder: String, `"<"` or `">"`, of the file.
        channels: Int, channels of the decoded pixels, without alpha.
        file: The file, opened for reading.

    Returns:
        `Metadata`, without damaged parts.
    """
    tags = page.tags

    def block(tag):
        with contextlib.suppress(Exception):
            value = tags.valueof(tag)
            if isinstance(value, tuple):  # some writers store it as 32-bit integers
                value = np.array(value, f"{byteorder}u4").tobytes()
            return as_xmp(value)
        return None

    profile = stored = None
    with contextlib.suppress(Exception):
        stored = page.iccprofile
        # CMYK and L*a*b* were converted to sRGB, so their profiles no longer apply.
        profile = sound_profile(stored, channels)
    with parsing():
        parts = inventory.of_tiff_page(page, file)
        kept = tuple(_kept_tags(page, byteorder, file))
    if stored and profile is None:  # as in `read_metadata`
        parts = {n: c for n, c in parts.items() if n != inventory.PROFILE}
    return Metadata(
        exif=exif.of_tiff(file),
        has_moved=True,
        icc_profile=profile,
        dpi=density.of_tiff(page),
        xmp=block(XMP_TAG),
        photoshop=photoshop.without_thumbnails(block(PHOTOSHOP_TAG) or b"") or None,
        iptc=block(IPTC_TAG),
        tags=kept,
        parts=parts,
    )


def _kept_tags(page, byteorder, file):
    """Yield the tags that are copied from TIFF to TIFF, as the original bytes."""
    left = MOST_BYTES
    for tag in page.tags:
        kind, size = int(tag.dtype), tag.valuebytecount
        kept = tag.code in exif.TIFF_TAGS | TIFF_ALONE and kind in exif.TYPES
        left -= size if kept else 0
        if not kept or left < 0 or size != exif.TYPES[kind][0] * tag.count:
            continue
        file.seek(tag.valueoffset)
        value = file.read(size)
        if tag.code == exif.DESCRIPTION and exif.OF_STORAGE.match(
            value.decode("latin-1")
        ):
            continue
        if len(value) == size:
            yield exif.raw_tag(tag.code, kind, tag.count, value, byteorder)
