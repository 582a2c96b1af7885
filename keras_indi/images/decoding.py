"""Image files as arrays: read whole and upright, or refused with a reason."""

import dataclasses
import io
import pathlib
from collections.abc import Callable
from types import ModuleType

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.optional_packages import optional_import
from keras_indi.validation import checked_choice

EXTENSIONS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff")
FORMATS = ("PNG", "JPEG", "WEBP", "TIFF")
# 89 megapixels, Pillow's own limit: a quarter of a gigabyte decoded.
MAX_PIXELS = 89_478_485

ORIENTATION = 0x0112  # EXIF tag
BITS_PER_SAMPLE = 0x0102  # TIFF tags
PLANAR_CONFIGURATION = 0x011C
# EXIF orientation: what turns the stored image upright
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: np.rot90,
}


class UnusableImageError(ValueError):
    """An image that cannot be used: unreadable, truncated, too small, too large.

    Pipelines skip such an image, count it and name it at the end.
    """


class TooLargeImageError(UnusableImageError):
    """An image of more pixels than are decoded."""


@dataclasses.dataclass(frozen=True)
class ImageInfo:
    """What an image file's header says.

    Attributes:
        height: Int, pixels of the upright image.
        width: Int, pixels of the upright image.
        channels: Int, 1 (grey) or 3 (colour, palettes too), without alpha.
        has_alpha: Bool, whether it has an alpha channel or a transparent colour.
        bits: Int, 8 or 16, bits a value.
        format: String, one of `FORMATS`.
    """

    height: int
    width: int
    channels: int
    has_alpha: bool
    bits: int
    format: str


def read_image(
    path: FilePath | bytes,
    image_channels: int | None = None,
    max_pixels: int = MAX_PIXELS,
) -> np.ndarray:
    """Reads a PNG, JPEG, WebP or TIFF file.

    EXIF orientation is applied. Palettes become RGB; bits become 0 and 255; CMYK
    becomes RGB. Transparent pixels are laid over black, so alpha is multiplied
    in. Of files with several pages the first is read. Colour profiles are not
    applied.

    Args:
        path: Path of the file, or its content as bytes.
        image_channels: 1, 3 or `None` for as many as the file has. RGB becomes
            grey by Rec. 601's luma, 0.299 R + 0.587 G + 0.114 B; grey becomes RGB
            by repeating it.
        max_pixels: Int, the most pixels that are decoded. (Beyond twice
            `PIL.Image.MAX_IMAGE_PIXELS` Pillow refuses them too.)

    Returns:
        uint8 array, or uint16 array for a file of 16 bits, of shape `(height,
        width, channels)`, channels 1 or 3 in the order red, green, blue.

    Raises:
        UnusableImageError: If the file is unreadable, truncated, not of these
            formats, of more than 16 bits, or too large.
        ImportError: If Pillow or OpenCV is missing.
    """
    checked_choice("image_channels", image_channels, (1, 3, None))
    image, info = decode(path, max_pixels)
    return to_channels(_without_alpha(image), image_channels or info.channels)


def decode(
    path: FilePath | bytes, max_pixels: int = MAX_PIXELS
) -> tuple[np.ndarray, ImageInfo]:
    """Reads an image file upright, with the channels that its decoder gives.

    Args:
        path: As for `read_image`.
        max_pixels: As for `read_image`.

    Returns:
        Tuple of a uint8 or uint16 array of shape `(height, width, channels)`,
        grey, RGB or RGBA, whose alpha is not multiplied in, and its `ImageInfo`.

    Raises:
        UnusableImageError: As for `read_image`.
        ImportError: If Pillow or OpenCV is missing.
    """
    if isinstance(path, bytes):
        content = path
    else:
        try:
            content = pathlib.Path(path).read_bytes()
        except OSError as error:
            raise UnusableImageError(f"unreadable ({error.strerror})") from error
    with _opened(io.BytesIO(content), max_pixels) as header:
        info = _info(header)
        if info.format != "TIFF":
            image = _decoded_by_opencv(content)
            if _orientation(header) in UPRIGHT:
                image = UPRIGHT[_orientation(header)](image)
        # Both libraries turn TIFF upright by themselves. OpenCV multiplies alpha
        # in or drops it at 8 bits; Pillow reads no colours of 16 bits.
        elif info.bits == 8 or info.channels == 1:
            image = _decoded_by_pillow(header, info)
        elif header.tag_v2.get(PLANAR_CONFIGURATION, 1) != 1:
            raise UnusableImageError("unreadable (16-bit TIFF of separate planes)")
        else:
            image = _decoded_by_opencv(content)
    if image.shape[:2] != (info.height, info.width):
        raise UnusableImageError(
            f"unreadable (header of {info.height}x{info.width}, image of "
            f"{image.shape[0]}x{image.shape[1]})"
        )
    return image, info


def inspect_image(path: FilePath | bytes, max_pixels: int = MAX_PIXELS) -> ImageInfo:
    """Reads an image file's header alone.

    Args:
        path: Path of the file.
        max_pixels: As for `read_image`.

    Returns:
        An `ImageInfo`.

    Raises:
        UnusableImageError: As for `read_image`, as far as the header tells.
    """
    with _opened(path, max_pixels) as header:
        return _info(header)


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Gives an image 1 channel or 3.

    Args:
        image: uint8 or uint16 array of shape `(height, width, 1 or 3)`.
        channels: 1 or 3.

    Returns:
        Contiguous array of shape `(height, width, channels)`.
    """
    if image.shape[-1] == channels:
        return np.ascontiguousarray(image)
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    cv2 = require_opencv()
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None]


def _opened(file, max_pixels):
    """The file's header, read by Pillow."""
    Image = optional_import("PIL.Image", extra="data", purpose="Reading images")
    try:
        header = Image.open(file, formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise TooLargeImageError(f"too large ({error})") from error
    except Exception as error:  # Pillow's plugins raise all kinds on bad bytes
        reason = getattr(error, "strerror", None) or "not a PNG, JPEG, WebP or TIFF"
        raise UnusableImageError(f"unreadable ({reason})") from error
    width, height = header.size
    if width * height > max_pixels:
        header.close()
        raise TooLargeImageError(
            f"too large ({height}x{width} pixels, max_pixels={max_pixels})"
        )
    return header


def _info(header):
    mode = header.mode
    if mode in ("I", "F"):
        raise UnusableImageError("of 32 bits; 8 and 16 bits are read")
    height, width = header.size[::-1]
    # Of TIFF, Pillow tells the upright size.
    if header.format != "TIFF" and _orientation(header) >= 5:
        height, width = width, height
    if header.format == "TIFF":
        deep = max(header.tag_v2.get(BITS_PER_SAMPLE, (1,))) > 8
    else:  # only PNG; Pillow's mode tells of grey, its way of decoding of colour
        deep = mode == "I;16" or any(";16" in str(tile.args) for tile in header.tile)
    return ImageInfo(
        height=height,
        width=width,
        channels=1 if mode in ("1", "L", "LA", "La") or mode.startswith("I;16") else 3,
        has_alpha=mode.upper() in ("LA", "RGBA", "PA") or "transparency" in header.info,
        bits=16 if deep else 8,
        format="JPEG" if header.format == "MPO" else header.format,
    )


def _orientation(header):
    if header.format == "PNG" and not {"exif", "Raw profile type exif"} & {
        *header.info
    }:
        return 1  # Pillow would decode the whole image to look behind it
    try:
        return header.getexif().get(ORIENTATION, 1)
    except Exception:  # a damaged EXIF block says nothing
        return 1


def _decoded_by_pillow(header, info):
    """RGBA, RGB or grey pixels of a TIFF file, which Pillow turns upright."""
    try:
        if info.bits == 16:
            return np.asarray(header).astype("uint16")[..., None]
        if info.has_alpha:
            return np.asarray(header.convert("RGBA"))
        if info.channels == 1:
            return np.asarray(header.convert("L"))[..., None]
        return np.asarray(header.convert("RGB"))
    except Exception as error:
        raise UnusableImageError(f"truncated or damaged ({error})") from error


def _decoded_by_opencv(content):
    """RGBA, RGB or grey pixels as the file stores them; faster than Pillow."""
    cv2 = require_opencv()
    try:
        image = cv2.imdecode(np.frombuffer(content, "uint8"), cv2.IMREAD_UNCHANGED)
    except cv2.error as error:
        raise UnusableImageError(f"unreadable ({error})") from error
    if image is None:
        raise UnusableImageError("truncated or damaged")
    if image.dtype not in ("uint8", "uint16"):
        raise UnusableImageError(f"of {image.dtype}; 8 and 16 bits are read")
    if image.ndim == 2:
        return image[..., None]
    order = cv2.COLOR_BGRA2RGBA if image.shape[-1] == 4 else cv2.COLOR_BGR2RGB
    return cv2.cvtColor(image, order)


def _without_alpha(image):
    if image.shape[-1] != 4:
        return image
    opaque = np.iinfo(image.dtype).max
    light = image[..., :3].astype("float32") * (image[..., 3:] / np.float32(opaque))
    return np.rint(light).astype(image.dtype)


def require_opencv() -> ModuleType:
    """The module `cv2`, or an ImportError that says how to install it."""
    return optional_import("cv2", extra="data", purpose="Reading images")
