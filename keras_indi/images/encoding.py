"""Write images atomically, with all metadata that the format supports."""

import functools
import pathlib
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import density, exif, jpeg_segments, png_chunks
from keras_indi.images.channels import require_opencv
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.metadata import Metadata, photoshop_resources
from keras_indi.images.tiff_tags import CLASSIC_TIFF, append_directories, extra_tags
from keras_indi.images.unusable import UnusableImageError
from keras_indi.images.value_ranges import RANGES, convert
from keras_indi.images.whole_writes import encoded, write_bytes, write_whole
from keras_indi.optional_packages import optional_import

if TYPE_CHECKING:
    from keras_indi.images.photograph import Photograph

# Formats that can be written, by file extension.
FORMATS = {
    ending: format
    for ending, format in EXTENSIONS.items()
    if format in ("PNG", "JPEG", "WEBP", "TIFF")
}
# Lossy formats are written in high quality, so that restored detail is not lost again.
# This is the minimum for JPEG: a JPEG input of higher quality keeps its quality.
LOSSY: dict[str, dict[str, Any]] = {
    "JPEG": {"quality": 90, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95, "exact": True},
}
# Maximum height and width of a format, in pixels. For JPEG, the limit of libjpeg.
MOST_SIDE = {"JPEG": 65_500, "WEBP": 16_383}


def write_photograph(
    path: FilePath,
    photograph: "Photograph",
    modified: int | None = None,
    quality: int | None = None,
) -> list[str]:
    """Write a photograph atomically, in the format of the file extension.

    PNG and TIFF are lossless and keep 16 bits and alpha. TIFF also keeps floats. JPEG
    has 8 bits, no alpha, and no chroma subsampling. WebP has 8 bits. Metadata is
    copied byte for byte if the format supports it.

    Args:
        path: Path of the file. Its folder is created.
        photograph: A `Photograph`.
        modified: As for `write_whole`.
        quality: Int in [1, 100], for JPEG and WebP. Defaults to 95 for WebP. Defaults
            to 90 for JPEG, or to the quality of the input file if that is higher.

    Returns:
        List of strings: what the format cannot store.

    Raises:
        ValueError: If the extension is not supported, or the image is too large for
            the format.
        ImportError: If Pillow, OpenCV or tifffile is missing.
    """
    path = pathlib.Path(path)
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        raise ValueError(
            f"The file extension must be one of {', '.join(FORMATS)}. Received: "
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
    return [*lost, *metadata.lost_in(path, format)]


def check_sides(format: str, height: int, width: int) -> None:
    """Raise an `UnusableImageError` if an image is too large for a format."""
    most = MOST_SIDE.get(format)
    if most is not None and max(height, width) > most:
        raise UnusableImageError(
            f"{format} holds at most {most} pixels in height and width. Received: an "
            f"image of {height}x{width} pixels"
        )


def write_png(path: FilePath, image: np.ndarray) -> None:
    """Write a lossless PNG atomically.

    Args:
        path: Path of the file. Its folder is created.
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
    """Return the dtype in which a format stores pixels."""
    if format == "TIFF":
        return str(dtype)
    return "uint8" if format != "PNG" or dtype == "uint8" else "uint16"


def _in_file_range(pixels, photograph):
    """Convert floats in [0, 1] to the value range of the file, except alpha."""
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
    """Save JPEG or WebP."""
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
        options["extra"] = b"".join(s.as_bytes() for s in _segments(metadata))
    _save(path, _image(pixels), format, **options)


def _save_png(path, pixels, metadata):
    content = encoded(path, _image(pixels).save, "PNG")
    pathlib.Path(path).write_bytes(_with_chunks(content, metadata))


def _save_deep_png(path, pixels, metadata):
    """Save a 16-bit PNG with OpenCV, because Pillow cannot encode it."""
    if pixels.shape[-1] == 2:  # not supported by OpenCV
        content = _grey_with_alpha(pixels)
    else:
        cv2 = require_opencv()
        code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(pixels.shape[-1])
        image = pixels if code is None else cv2.cvtColor(pixels, code)
        content = cv2.imencode(".png", image)[1].tobytes()
    pathlib.Path(path).write_bytes(_with_chunks(content, metadata))


def _grey_with_alpha(pixels: np.ndarray) -> bytes:
    """Encode a 16-bit PNG of grey and alpha."""
    height, width, _ = pixels.shape
    rows = pixels.astype(">u2").reshape(height, -1).view("uint8")
    above = np.concatenate([np.zeros_like(rows[:1]), rows[:-1]])
    filtered = np.insert(rows - above, 0, 2, axis=1)  # each row less the one above
    header = struct.pack(">IIBBBBB", width, height, 16, 4, 0, 0, 0)
    chunks = (b"IHDR", header), (b"IDAT", zlib.compress(filtered)), (b"IEND", b"")
    return png_chunks.SIGNATURE + png_chunks.joined(chunks)


def _save_tiff(path, pixels, metadata):
    tifffile = optional_import("tifffile", "data", "Writing TIFF files")
    big = pixels.nbytes > CLASSIC_TIFF
    tifffile.imwrite(
        path,
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
        bigtiff=big,
        byteorder="<",
        photometric="rgb" if pixels.shape[-1] >= 3 else "minisblack",
        planarconfig=None if pixels.shape[-1] == 1 else "contig",
        extrasamples=["unassalpha"] if pixels.shape[-1] in (2, 4) else None,
        compression="zlib",
        predictor=pixels.dtype.kind == "u",
        iccprofile=metadata.icc_profile,
        resolution=None if metadata.dpi is None else density.as_tiff(metadata.dpi),
        resolutionunit=None if metadata.dpi is None else "INCH",
        metadata=None,
        software=False,
        extratags=extra_tags(metadata),
    )
    if not big:
        append_directories(path, metadata)


def _image(pixels):
    from PIL import Image

    return Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)


def _segments(metadata: Metadata) -> list[jpeg_segments.Segment]:
    """Return the metadata segments of a JPEG that Pillow does not write."""
    known = jpeg_segments
    resources = photoshop_resources(metadata)
    comments = [c for c in metadata.comments if len(c) <= known.ROOM]
    return [
        *metadata.extended_xmp,
        *known.divided(known.APP13, known.PHOTOSHOP, resources),
        *metadata.segments,
        *(known.Segment(known.COMMENT, comment) for comment in comments),
    ]


def _with_chunks(content: bytes, metadata: Metadata) -> bytes:
    """Add the metadata chunks to a PNG, in the order that PNG requires."""
    carried = png_chunks.carried(metadata.chunks, content)
    chunks = [chunk for chunk in carried if chunk[0] in png_chunks.COLOURS]
    if metadata.icc_profile is not None:
        body = b"ICC profile\0\0" + zlib.compress(metadata.icc_profile)
        chunks.append((png_chunks.PROFILE, body))
    if metadata.dpi is not None:
        chunks.append((png_chunks.DENSITY, density.as_png(metadata.dpi)))
    else:  # the chunk may still contain an aspect ratio
        chunks += [c for c in metadata.chunks if c[0] == png_chunks.DENSITY][:1]
    if metadata.exif:
        chunks.append((png_chunks.EXIF, metadata.exif))
    if metadata.xmp is not None:
        keyword = png_chunks.XMP_KEYWORD[:-1].decode()
        chunks.append(png_chunks.international_text(keyword, metadata.xmp))
    for comment in metadata.comments:
        try:
            text = comment.decode()
        except UnicodeDecodeError:
            text = comment.decode("latin-1")
        text = text.replace("\0", "")
        chunks.append(png_chunks.international_text("Comment", text.encode()))
    chunks += [chunk for chunk in carried if chunk[0] not in png_chunks.COLOURS]
    return png_chunks.with_chunks(content, tuple(chunks))
