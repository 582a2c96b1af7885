"""What stands beside the pixels of an image file, and what each format holds of it."""

import contextlib
import dataclasses
import math
import os
from typing import Any

import numpy as np

from keras_indi.images import exif, png_chunks
from keras_indi.images.colour_profiles import sound_profile
from keras_indi.images.decoding import StoredImage
from keras_indi.images.unusable import parsing

PHOTOSHOP = b"Photoshop 3.0\0"
XMP_TAG, IPTC_TAG, PHOTOSHOP_TAG = 700, 33723, 34377  # of TIFF
IPTC_RESOURCE = 1028
INCH, CENTIMETRE = 2, 3
# Bytes that a JPEG file's segments have room for, where Pillow raises beyond.
JPEG_ROOM = {
    "exif": ("EXIF", 65533 - len(exif.PREFIX)),
    "xmp": ("XMP", 65533 - 29),
    "comment": ("comment", 65533),
    "icc_profile": ("colour profile", 255 * 65519),
}


@dataclasses.dataclass(frozen=True)
class Metadata:
    """What an image file says beside its pixels, in the bytes of the file.

    Attributes:
        exif: Bytes of the EXIF block, from its byte order on; empty without one.
        icc_profile: Bytes, or `None`.
        dpi: Pair of positive numbers, or `None`.
        xmp: Bytes, or `None`.
        comment: Bytes of a JPEG or GIF comment, or `None`.
        photoshop: Bytes of Photoshop's resources, IPTC among them, or `None`.
        iptc: Bytes of the IPTC block that a TIFF file has apart, or `None`.
        chunks: Tuple of pairs, PNG chunks of colours and text, with their names.
    """

    exif: bytes = b""
    icc_profile: bytes | None = None
    dpi: tuple[float, float] | None = None
    xmp: bytes | None = None
    comment: bytes | None = None
    photoshop: bytes | None = None
    iptc: bytes | None = None
    chunks: png_chunks.Chunks = ()

    def resized(self, factors: tuple[float, float], size: tuple[int, int]):
        """The metadata of `factors` (rows, columns) times as many pixels.

        Args:
            factors: Pair of numbers.
            size: Pair of ints, height and width.
        """
        dpi = self.dpi and (self.dpi[0] * factors[1], self.dpi[1] * factors[0])
        return dataclasses.replace(self, dpi=dpi, exif=exif.resized(self.exif, *size))

    def lost_in(self, format: str, deep: bool = False) -> list[str]:
        """What a file of a format cannot hold of it, a sentence each.

        Args:
            format: String, as Pillow names it, or `"Zarr"`.
            deep: Bool, whether the file has 16 bits or floats, or is written by blocks.
        """
        colours = [n.decode() for n, _ in self.chunks if n in png_chunks.COLOURS]
        texts = any(name in png_chunks.TEXTS for name, _ in self.chunks)
        lost = []
        if format != "PNG":
            # What `sRGB` says, files without a profile mean.
            lost += [n for n in colours if "sRGB" not in colours]
            lost += ["text"] * texts
        if format in ("WEBP", "TIFF") and self.comment is not None:
            lost.append("comment")
        if format in ("PNG", "WEBP") and (self.photoshop or self.iptc):
            lost.append("IPTC")
        if format == "WEBP" and self.dpi is not None:
            lost.append("pixel density")
        if format == "TIFF" and deep and self.exif:
            if exif.directories(exif.parsed(self.exif)):
                lost.append("EXIF of the exposure and place")
        if format == "Zarr":
            kinds = {
                "EXIF": self.exif,
                "colour profile": self.icc_profile,
                "pixel density": self.dpi,
                "XMP": self.xmp,
                "IPTC": self.photoshop or self.iptc,
            }
            lost += [name for name, value in kinds.items() if value]
        what = format
        if deep and format == "TIFF":
            what = "TIFF of 16 bits, of floats or by blocks"
        found = [f"{what} holds no {', '.join(dict.fromkeys(lost))}"] if lost else []
        long = ", ".join(JPEG_ROOM[name][0] for name in self._too_long(format))
        return [*found, *([f"{format} has no room for its {long}"] if long else [])]

    def that_fits(self, format: str) -> "Metadata":
        """The metadata without what is too long for a format."""
        return dataclasses.replace(
            self, **{name: getattr(Metadata, name) for name in self._too_long(format)}
        )

    def _too_long(self, format):
        if format != "JPEG":
            return []
        return [
            name
            for name, (_, most) in JPEG_ROOM.items()
            if len(getattr(self, name) or b"") > most
        ]


def read_metadata(stored: StoredImage, file: Any) -> Metadata:
    """Read the metadata of an open image.

    Args:
        stored: `StoredImage`, whose pixels were read.
        file: The file, opened for reading.

    Returns:
        `Metadata`. What is damaged is left out.
    """
    if stored.samples is not None:
        byteorder = stored.tiff.byteorder
        return of_tiff(stored.header, byteorder, stored.info.channels, file)
    header = stored.header
    info = header.info
    block = info.get("exif") or b""
    if not block and header.format == "PNG":  # in the text of older writers
        with contextlib.suppress(Exception):
            block = exif.as_bytes(header.getexif())
    chunks: png_chunks.Chunks = ()
    if header.format == "PNG":
        with parsing():
            size = file.seek(0, os.SEEK_END)
            chunks = png_chunks.read_chunks(file, size)
    dpi = checked_dpi(info.get("dpi"))
    if dpi == (72, 72) and header.format in ("JPEG", "MPO"):
        dpi = None  # which Pillow says where the file says nothing
    comment = info.get("comment") if header.format in ("JPEG", "MPO", "GIF") else None
    return Metadata(
        exif=block.removeprefix(exif.PREFIX) if isinstance(block, bytes) else b"",
        icc_profile=sound_profile(info.get("icc_profile"), stored.info.channels),
        dpi=dpi,
        xmp=as_xmp(info.get("xmp") or info.get("XML:com.adobe.xmp")),
        comment=comment.encode("latin-1", "replace")
        if isinstance(comment, str)
        else comment,
        photoshop=_photoshop(header),
        chunks=chunks,
    )


def checked_dpi(dpi: Any) -> tuple[float, float] | None:
    """Two positive numbers, or `None` where a file says anything else."""
    with contextlib.suppress(Exception):  # 0/0 of a rational number is one
        across, down = (float(value) for value in dpi)
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None


def as_xmp(xmp: Any) -> bytes | None:
    """XMP as bytes, or `None` without any."""
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    return xmp if isinstance(xmp, bytes) and xmp else None


def photoshop_segment(metadata: Metadata) -> bytes:
    """The APP13 segments of a JPEG file that hold its IPTC block; empty without."""
    resources = metadata.photoshop
    if resources is None and metadata.iptc is not None:
        size = len(metadata.iptc).to_bytes(4, "big")
        resources = b"8BIM" + IPTC_RESOURCE.to_bytes(2, "big") + b"\0\0" + size
        resources += metadata.iptc + b"\0" * (len(metadata.iptc) % 2)
    segments = b""
    most = 65533 - len(PHOTOSHOP)
    for start in range(0, len(resources or b""), most):
        body = PHOTOSHOP + (resources or b"")[start : start + most]
        segments += b"\xff\xed" + (len(body) + 2).to_bytes(2, "big") + body
    return segments


def _photoshop(header):
    segments = [
        body[len(PHOTOSHOP) :]
        for name, body in getattr(header, "applist", ())
        if name == "APP13" and body.startswith(PHOTOSHOP)
    ]
    return b"".join(segments) or None


def of_tiff(page: Any, byteorder: str, channels: int, file: Any) -> Metadata:
    """Read the metadata of a TIFF page.

    Args:
        page: A `tifffile.TiffPage`, the first of its file.
        byteorder: String, `"<"` or `">"`, of the file.
        channels: Int, of the pixels that are made of it, without alpha.
        file: The file, opened for reading.

    Returns:
        `Metadata`. What is damaged is left out.
    """
    from PIL import TiffImagePlugin  # which `PIL.Image` alone does not register

    tags = page.tags

    def block(tag):
        with contextlib.suppress(Exception):
            value = tags.valueof(tag)
            if isinstance(value, tuple):  # some writers type it as numbers of 32 bits
                value = np.array(value, f"{byteorder}u4").tobytes()
            return as_xmp(value)
        return None

    exif_block = b""
    with contextlib.suppress(Exception):  # Pillow opens fewer kinds than are read
        file.seek(0)
        exif_block = exif.of_tiff(TiffImagePlugin.TiffImageFile(file))
    profile = None
    with contextlib.suppress(Exception):
        # CMYK and L*a*b* became sRGB, so their profiles are no longer right.
        profile = sound_profile(page.iccprofile, channels)
    return Metadata(
        exif=exif_block,
        icc_profile=profile,
        dpi=_tiff_dpi(tags),
        xmp=block(XMP_TAG),
        photoshop=block(PHOTOSHOP_TAG),
        iptc=block(IPTC_TAG),
    )


def _tiff_dpi(tags):
    with contextlib.suppress(Exception):
        unit = {INCH: 1.0, CENTIMETRE: 2.54}[int(tags.valueof(296, INCH))]
        across, down = (tags.valueof(tag) for tag in (282, 283))
        return checked_dpi((unit * a / b for a, b in (across, down)))
    return None
