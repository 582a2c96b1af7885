"""Decode image files to upright arrays, with a clear error for unusable files."""

import contextlib
import dataclasses
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import orientation, pillow_files, tiff_files
from keras_indi.images.channels import over_black, to_channels
from keras_indi.images.formats import opened_file
from keras_indi.images.tiff_samples import TiffSamples
from keras_indi.images.unusable import MAX_PIXELS as MAX_PIXELS
from keras_indi.images.unusable import TooLargeImageError as TooLargeImageError
from keras_indi.images.unusable import UnusableImageError as UnusableImageError
from keras_indi.validation import checked_choice, checked_integer


@dataclasses.dataclass(frozen=True)
class ImageInfo:
    """Header information of an image file.

    Attributes:
        height: Int, pixels of the upright image.
        width: Int, pixels of the upright image.
        channels: Int, 1 (grey) or 3 (colour, palettes too), without alpha.
        has_alpha: Bool, whether it has an alpha channel or a transparent colour.
        bits: Int, 8, 16 or 32, bits a value.
        format: String, one of `FORMATS`.
        is_float: Bool, whether values are floats.

    Example:

    >>> info = keras_indi.images.inspect_image("photo.jpg")
    >>> (info.height, info.width)
    (16, 16)
    """

    height: int
    width: int
    channels: int
    has_alpha: bool
    bits: int
    format: str
    is_float: bool = False


@dataclasses.dataclass
class StoredImage:
    """An open image file whose header has been read and pixels have not.

    Attributes:
        info: `ImageInfo`.
        orientation: Int, the EXIF orientation, 1 for upright.
        header: `PIL.Image.Image`, or a `tifffile.TiffPage`.
        samples: `TiffSamples` of a TIFF file, else `None`.
        tiff: The `tifffile.TiffFile`, else `None`.
    """

    info: ImageInfo
    orientation: int
    header: Any
    samples: TiffSamples | None = None
    tiff: Any = None

    def pixels(self) -> np.ndarray:
        """Decode the image as stored, not turned by its orientation.

        Returns:
            uint8, uint16 or float array of shape `(height, width, channels)`, grey or
            RGB, and alpha if it has one, which is not multiplied in.

        Raises:
            UnusableImageError: If it is truncated or damaged.
        """
        if self.samples is None:
            image = pillow_files.decoded(self.header)
        else:
            image = tiff_files.read_page(self.header, self.samples)
        info = self.info
        height, width = image.shape[:2]
        size = orientation.upright_size(height, width, self.orientation)
        if (*size, image.shape[-1]) != (
            info.height,
            info.width,
            info.channels + info.has_alpha,
        ):
            raise UnusableImageError(
                f"unreadable (header of {info.height}x{info.width}, image of "
                f"{size[0]}x{size[1]})"
            )
        return image


def read_image(
    path: FilePath | bytes,
    image_channels: int | None = None,
    max_pixels: int | None = None,
) -> np.ndarray:
    """Read a PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF or HEIC file.

    EXIF orientation is applied. Palettes and CMYK are converted to RGB. Bilevel
    images become 0 and 255. Alpha is composited over black. Only the first page or
    frame of a file is read. Colour profiles are not applied. HEIC requires
    `pip install "keras-indi[heif]"`.

    Args:
        path: Path of the file, or its content as bytes.
        image_channels: 1, 3 or `None` for the channels of the file. RGB is converted
            to grey by the Rec. 601 luma, 0.299 R + 0.587 G + 0.114 B. Grey is
            converted to RGB by repeating it.
        max_pixels: Int, maximum number of pixels to decode. Defaults to 89
            megapixels. By default, a file that declares more than 100 megabytes of
            pixels and holds less than a thousandth of them is refused too.

    Returns:
        Array of shape `(height, width, channels)`, channels 1 or 3 in the order red,
        green, blue: uint8, or uint16 for a file of 16 bits, or float32 in [0, 1] for
        a TIFF file of floats.

    Raises:
        UnusableImageError: If the file is unreadable, truncated or too large, or if
            its format or values are not supported.
        ImportError: If Pillow, tifffile or pillow-heif is missing.
    """
    checked_choice("image_channels", image_channels, (1, 3, None))
    with opened(path, max_pixels) as stored:
        image, channels = stored.pixels(), stored.info.channels
    image = orientation.upright(image, stored.orientation)
    if stored.info.is_float:
        image = checked_floats(image)
    if image.shape[-1] > channels:
        image = over_black(image)
    return to_channels(image, image_channels or channels)


def inspect_image(path: FilePath | bytes, max_pixels: int | None = None) -> ImageInfo:
    """Read only the header of an image file.

    Args:
        path: Path of the file, or its content as bytes.
        max_pixels: As for `read_image`.

    Returns:
        An `ImageInfo`.

    Raises:
        UnusableImageError: As for `read_image`, as far as the header shows.
    """
    with opened(path, max_pixels) as stored:
        return stored.info


@contextlib.contextmanager
def opened(
    path: FilePath | bytes,
    max_pixels: int | None = None,
    most: float = MAX_PIXELS,
    by_profile: bool = False,
) -> Iterator[StoredImage]:
    """Open an image file and read its header.

    Args:
        path: As for `read_image`.
        max_pixels: As for `read_image`.
        most: As for `keras_indi.images.unusable.check_size`.
        by_profile: As for `TiffSamples`.

    Raises:
        UnusableImageError: As for `read_image`, as far as the header shows.
    """
    checked_integer("max_pixels", max_pixels, optional=True)
    with opened_file(path) as (file, format, size):
        if format == "TIFF":
            with tiff_files.opened_tiff(file) as tiff:
                page = tiff.pages.first
                samples = tiff_files.samples_of(page, by_profile)
                tiff_files.check_stored(page, size, max_pixels, most=most)
                yield _stored_tiff(page, samples, tiff)
        else:
            with pillow_files.opened_image(
                file, format, size, max_pixels, most
            ) as header:
                yield _stored(header)


def checked_floats(
    image: np.ndarray, value_range: tuple[float, float] = (0, 1)
) -> np.ndarray:
    """Convert floats to float32, or raise if a value is outside the range.

    Raises:
        UnusableImageError: If a value is not finite or outside the range.
    """
    low, high = float(np.min(image)), float(np.max(image))
    if not (value_range[0] <= low and high <= value_range[1]):  # NaN too
        raise UnusableImageError(
            f"float values from {low:.6g} to {high:.6g}, not in {tuple(value_range)}"
        )
    return image.astype("float32", copy=False)


# === Parts ===


def _stored(header):
    turned = pillow_files.orientation_of(header)
    height, width = orientation.upright_size(header.height, header.width, turned)
    info = ImageInfo(
        height=height,
        width=width,
        channels=1 if pillow_files.is_grey(header) else 3,
        has_alpha=pillow_files.has_alpha(header),
        bits=pillow_files.pixel_bits(header),
        format="JPEG" if header.format == "MPO" else header.format,
    )
    return StoredImage(info, turned, header)


def _stored_tiff(page, samples, tiff):
    if not samples.is_photograph:
        meaning = "floats of at most 32 bits and unsigned integers of at most 16"
        raise UnusableImageError(
            f"not read ({page.samplesperpixel} samples a pixel of {page.dtype}, "
            f"photometric {getattr(page.photometric, 'name', None)}; grey and colours "
            f"of {meaning} are)"
        )
    turned = tiff_files.orientation_of(page)
    size = orientation.upright_size(page.imagelength, page.imagewidth, turned)
    info = ImageInfo(
        *size,
        channels=samples.channels - samples.has_alpha,
        has_alpha=samples.has_alpha,
        bits=8 * samples.dtype.itemsize,
        format="TIFF",
        is_float=samples.dtype.kind == "f",
    )
    return StoredImage(info, turned, page, samples, tiff)
