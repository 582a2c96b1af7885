"""Writes images: whole, each format with all of a photograph that it can hold."""

import functools
import pathlib
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import exif, png_chunks
from keras_indi.images.channels import require_opencv
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.metadata import Metadata, photoshop_segment
from keras_indi.images.tiff_tags import extra_tags, tiff_tags
from keras_indi.images.unusable import UnusableImageError
from keras_indi.images.value_ranges import RANGES, convert
from keras_indi.images.whole_writes import encoded, write_bytes, write_whole
from keras_indi.optional_packages import optional_import

if TYPE_CHECKING:
    from keras_indi.images.photograph import Photograph

# The formats that are written, by the file's ending.
FORMATS = {
    ending: format
    for ending, format in EXTENSIONS.items()
    if format in ("PNG", "JPEG", "WEBP", "TIFF")
}
# How each format is written: what a restoration gained is not lost again. JPEG has at
# least this quality, and that of a JPEG file that the image comes from.
LOSSY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95, "exact": True},
}
# Pixels, height and width, that a format can hold.
MOST_SIDE = {"JPEG": 65_535, "WEBP": 16_383}


def write_photograph(
    path: FilePath,
    photograph: "Photograph",
    modified: int | None = None,
    quality: int | None = None,
) -> list[str]:
    """Write a photograph, whole or not at all, in the format of the path's ending.

    PNG and TIFF are lossless and keep 16 bits and alpha, TIFF floats too. JPEG has
    colours at full resolution, 8 bits and no alpha; WebP has 8 bits. Metadata is
    written byte for byte, where the format has a place for it.

    Args:
        path: Path of the file; its folder is made.
        photograph: A `Photograph`.
        modified: As for `write_whole`.
        quality: Int in [1, 100], of JPEG and WebP. Defaults to 95 for WebP, and for
            JPEG to 90, or the quality of the photograph's own file if that is higher.

    Returns:
        List of strings: what the format could not hold.

    Raises:
        ValueError: If the ending is of no such format, or the format holds no image
            of that size.
        ImportError: If Pillow, OpenCV or tifffile is missing.
    """
    path = pathlib.Path(path)
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        raise ValueError(
            f"The file's ending must be one of {', '.join(FORMATS)}. Received: "
            f"path={str(path)!r}"
        )
    check_sides(format, *photograph.pixels.shape[:2])
    metadata = photograph.metadata
    lost = []
    pixels, alpha = photograph.pixels, photograph.alpha
    if alpha is not None and format == "JPEG":
        lost.append("JPEG has no alpha")
        alpha = None
    if pixels.dtype == "uint16" and format in ("JPEG", "WEBP"):
        lost.append(f"{format} has 8 bits")
    if pixels.dtype == "float32" and format != "TIFF":
        bits = 16 if format == "PNG" else 8
        lost.append(f"{format} has no floats: {bits} bits of black to white")
    dtype = _dtype_in(format, pixels.dtype)
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha[..., None]], axis=-1)
    pixels = convert(pixels, dtype, RANGES[dtype])
    if dtype == "float32":
        pixels = _in_file_range(pixels, photograph)
    lost += metadata.lost_in(format, deep=dtype != "uint8")
    metadata = metadata.that_fits(format)
    if format in LOSSY:
        save = functools.partial(
            _save_lossy, format=format, quality=quality or _quality(format, photograph)
        )
    elif format == "TIFF":
        save = _save_tiff
    else:
        save = _save_png if dtype == "uint8" else _save_deep_png
    write_whole(path, lambda partial: save(partial, pixels, metadata), modified)
    return lost


def check_sides(format: str, height: int, width: int) -> None:
    """Raise an `UnusableImageError` where a format cannot hold an image of a size."""
    most = MOST_SIDE.get(format)
    if most is not None and max(height, width) > most:
        raise UnusableImageError(
            f"{format} holds at most {most} pixels in height and width. Received: an "
            f"image of {height}x{width} pixels"
        )


def write_png(path: FilePath, image: np.ndarray) -> None:
    """Write a lossless PNG, whole or not at all.

    Args:
        path: Path of the file; its folder is made.
        image: uint8 or uint16 array of shape `(height, width, 1 or 3)`.
    """
    cv2 = require_opencv()
    if image.shape[-1] == 3:
        image = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    # Level 1: a few percent larger than the default, several times faster.
    _, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    write_bytes(path, content.tobytes())


# === Pixels ===


def _dtype_in(format, dtype):
    """What pixels of a dtype become in a format."""
    if format == "TIFF":
        return str(dtype)
    return "uint8" if format != "PNG" or dtype == "uint8" else "uint16"


def _in_file_range(pixels, photograph):
    """Floats in [0, 1] as those of the file; alpha stays."""
    low, high = photograph.value_range
    colours = photograph.pixels.shape[-1]
    pixels = pixels.copy()
    pixels[..., :colours] *= np.float32(high - low)
    pixels[..., :colours] += np.float32(low)
    return pixels.astype(photograph.float_dtype)


# === Formats ===


def _save(path, image, format, **options):
    content = encoded(path, image.save, format, **options)
    pathlib.Path(path).write_bytes(content)


def _quality(format, photograph):
    least = LOSSY[format]["quality"]
    return max(least, photograph.jpeg_quality or 0) if format == "JPEG" else least


def _save_lossy(path, pixels, metadata, format, quality):
    """JPEG and WebP."""
    options = {**LOSSY[format], "quality": quality}
    if metadata.exif:
        options["exif"] = exif.PREFIX + metadata.exif
    if metadata.icc_profile is not None:
        options["icc_profile"] = metadata.icc_profile
    if metadata.xmp is not None:
        options["xmp"] = metadata.xmp
    if format == "JPEG":
        if metadata.dpi is not None:
            options["dpi"] = tuple(min(65535, round(dots)) for dots in metadata.dpi)
        if metadata.comment is not None:
            options["comment"] = metadata.comment
        options["extra"] = photoshop_segment(metadata)
    _save(path, _image(pixels), format, **options)


def _save_png(path, pixels, metadata):
    content = encoded(path, _image(pixels).save, "PNG")
    content = png_chunks.with_chunks(content, _chunks(metadata))
    pathlib.Path(path).write_bytes(content)


def _save_deep_png(path, pixels, metadata):
    """16 bits: OpenCV encodes what Pillow cannot."""
    cv2 = require_opencv()
    if pixels.shape[-1] == 2:  # grey with alpha, which OpenCV has not
        pixels = pixels[..., [0, 0, 0, 1]]
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(pixels.shape[-1])
    image = pixels if code is None else cv2.cvtColor(pixels, code)
    content = cv2.imencode(".png", image)[1].tobytes()
    content = png_chunks.with_chunks(content, _chunks(metadata))
    pathlib.Path(path).write_bytes(content)


def _save_tiff(path, pixels, metadata):
    """Of EXIF the file's own directory: tifffile has no other."""
    if pixels.dtype == "uint8" and _directories(metadata):
        return _save_tiff_with_directories(path, pixels, metadata)
    tifffile = optional_import("tifffile", "data", "Writing TIFF files")
    tifffile.imwrite(
        path,
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
        photometric="rgb" if pixels.shape[-1] >= 3 else "minisblack",
        planarconfig=None if pixels.shape[-1] == 1 else "contig",
        extrasamples=["unassalpha"] if pixels.shape[-1] in (2, 4) else None,
        compression="zlib",
        predictor=pixels.dtype.kind == "u",
        iccprofile=metadata.icc_profile,
        resolution=metadata.dpi,
        resolutionunit=None if metadata.dpi is None else "INCH",
        metadata=None,
        software=False,
        extratags=extra_tags(metadata),
    )


def _save_tiff_with_directories(path, pixels, metadata):
    """8 bits, by Pillow, which writes them into what is not compressed alone."""
    from PIL import TiffImagePlugin

    tags = TiffImagePlugin.ImageFileDirectory_v2()
    for tag, kind, value in tiff_tags(metadata):
        tags.tagtype[tag] = kind
        tags[tag] = value
    for tag, directory in _directories(metadata).items():
        tags[tag] = directory
    options: dict[str, Any] = {"tiffinfo": tags}
    if metadata.icc_profile is not None:
        options["icc_profile"] = metadata.icc_profile
    if metadata.dpi is not None:
        options["dpi"] = metadata.dpi
    _save(path, _image(pixels), "TIFF", **options)


def _image(pixels):
    from PIL import Image

    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _directories(metadata):
    """Dict of tags to the directories of EXIF and GPS, where there are any."""
    found = exif.directories(exif.parsed(metadata.exif))
    found = {tag: exif.writable(tag, found[tag]) for tag in found}
    return {tag: directory for tag, directory in found.items() if directory}


def _chunks(metadata: Metadata) -> png_chunks.Chunks:
    """What stands beside the pixels of a PNG, in the order that PNG asks for."""
    chunks = [chunk for chunk in metadata.chunks if chunk[0] in png_chunks.COLOURS]
    if metadata.icc_profile is not None:
        body = b"ICC profile\0\0" + zlib.compress(metadata.icc_profile)
        chunks.append((b"iCCP", body))
    if metadata.dpi is not None:
        per_metre = [min(2**31 - 1, round(dots / 0.0254)) for dots in metadata.dpi]
        chunks.append((b"pHYs", struct.pack(">IIB", *per_metre, 1)))
    if metadata.exif:
        chunks.append((b"eXIf", metadata.exif))
    if metadata.xmp is not None:
        keyword = png_chunks.XMP_KEYWORD[:-1].decode()
        chunks.append(png_chunks.international_text(keyword, metadata.xmp))
    if metadata.comment is not None:
        text = metadata.comment.decode("utf-8", "replace").replace("\0", "")
        chunks.append(png_chunks.international_text("Comment", text.encode()))
    return (*chunks, *(c for c in metadata.chunks if c[0] in png_chunks.TEXTS))
