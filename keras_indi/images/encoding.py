"""Writes images: whole, each format with all of a photograph that it can hold."""

import pathlib
import struct
import zlib
from typing import TYPE_CHECKING

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.decoding import require_opencv
from keras_indi.images.photograph import TIFF_DIRECTORIES, TIFF_TAGS
from keras_indi.images.value_ranges import RANGES, convert
from keras_indi.images.whole_writes import write_whole
from keras_indi.optional_packages import optional_import

if TYPE_CHECKING:
    from keras_indi.images.photograph import Photograph

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
# How each format is written: what a restoration gained is not lost again.
QUALITY = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95, "exact": True},
    "PNG": {},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


def write_photograph(path: FilePath, photograph: "Photograph") -> list[str]:
    """Writes a photograph, whole or not at all, in the format of the path's ending.

    PNG and TIFF are lossless and keep 16 bits and alpha. JPEG has quality 95 with
    colours at full resolution, 8 bits and no alpha; WebP quality 95, 8 bits.

    Args:
        path: Path of the file; its folder is made.
        photograph: A `Photograph`.

    Returns:
        List of strings: what the format could not hold.

    Raises:
        ValueError: If the ending is of no such format.
        ImportError: If Pillow, OpenCV or tifffile is missing.
    """
    path = pathlib.Path(path)
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        raise ValueError(
            f"The file's ending must be one of {', '.join(FORMATS)}. Received: "
            f"path={str(path)!r}"
        )
    lost = []
    pixels, alpha = photograph.pixels, photograph.alpha
    if alpha is not None and format == "JPEG":
        lost.append("JPEG has no alpha")
        alpha = None
    if pixels.dtype == "uint16" and format in ("JPEG", "WEBP"):
        lost.append(f"{format} has 8 bits")
        pixels = convert(pixels, "uint8", RANGES["uint8"])
        alpha = None if alpha is None else convert(alpha, "uint8", RANGES["uint8"])
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha[..., None]], axis=-1)
    save = _save_8_bits
    if pixels.dtype == "uint16":
        save = {"PNG": _save_deep_png, "TIFF": _save_deep_tiff}[format]
    write_whole(path, lambda partial: save(partial, format, pixels, photograph))
    return lost


def write_png(path: FilePath, image: np.ndarray) -> None:
    """Writes a lossless PNG, whole or not at all.

    Args:
        path: Path of the file; its folder is made.
        image: uint8 or uint16 array of shape `(height, width, 1 or 3)`.
    """
    cv2 = require_opencv()
    if image.shape[-1] == 3:
        image = cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2BGR)
    # Level 1: a few percent larger than the default, several times faster.
    _, content = cv2.imencode(".png", image, [cv2.IMWRITE_PNG_COMPRESSION, 1])
    write_whole(path, lambda partial: pathlib.Path(partial).write_bytes(content))


# === Formats ===


def _save_8_bits(path, format, pixels, photograph):
    from PIL import Image, PngImagePlugin

    options = dict(QUALITY[format])
    if len(photograph.exif):
        options["exif"] = photograph.exif.tobytes()
        if TIFF_DIRECTORIES & set(photograph.exif):
            options.pop("compression", None)  # libtiff writes no such directories
    if photograph.icc_profile is not None:
        options["icc_profile"] = photograph.icc_profile
    if photograph.dpi is not None:
        options["dpi"] = photograph.dpi
    if photograph.xmp is not None and format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(
            "XML:com.adobe.xmp", photograph.xmp.decode("utf-8", "replace")
        )
    elif photograph.xmp is not None and format in ("JPEG", "WEBP"):
        options["xmp"] = photograph.xmp
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(path, format, **options)


def _save_deep_png(path, format, pixels, photograph):
    """16 bits: OpenCV encodes what Pillow cannot; the chunks beside come after."""
    import cv2

    if pixels.shape[-1] == 2:  # grey with alpha, which OpenCV has not
        pixels = pixels[..., [0, 0, 0, 1]]
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(pixels.shape[-1])
    image = pixels if code is None else cv2.cvtColor(pixels, code)
    content = cv2.imencode(".png", image)[1].tobytes()
    chunks = []
    if photograph.icc_profile is not None:
        body = b"ICC profile\0\0" + zlib.compress(photograph.icc_profile)
        chunks.append((b"iCCP", body))
    if photograph.dpi is not None:
        pixels_per_metre = [round(value / 0.0254) for value in photograph.dpi]
        chunks.append((b"pHYs", struct.pack(">IIB", *pixels_per_metre, 1)))
    if len(photograph.exif):
        body = photograph.exif.tobytes().removeprefix(b"Exif\0\0")
        chunks.append((b"eXIf", body))
    if photograph.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + photograph.xmp))
    beside = b"".join(
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    end = 8 + 4 + 4 + 13 + 4  # of the signature and the header's chunk
    pathlib.Path(path).write_bytes(content[:end] + beside + content[end:])


def _save_deep_tiff(path, format, pixels, photograph):
    """16 bits. Of EXIF the file's own directory alone: tifffile writes no other."""
    tifffile = optional_import("tifffile", "data", "Writing TIFF files of 16 bits")
    tags = []
    for tag in sorted(TIFF_TAGS & set(photograph.exif)):
        value = photograph.exif[tag]
        # 3 is TIFF's type of 16-bit integers, 2 of text.
        kind, count = (3, 1) if isinstance(value, int) else (2, len(value) + 1)
        tags.append((tag, kind, count, value, True))
    tifffile.imwrite(
        path,
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
        photometric="rgb" if pixels.shape[-1] >= 3 else "minisblack",
        planarconfig=None if pixels.shape[-1] == 1 else "contig",
        extrasamples=["unassalpha"] if pixels.shape[-1] in (2, 4) else None,
        compression="zlib",
        iccprofile=photograph.icc_profile,
        resolution=photograph.dpi,
        resolutionunit=None if photograph.dpi is None else "INCH",
        metadata=None,
        software=False,
        extratags=tags,
    )
