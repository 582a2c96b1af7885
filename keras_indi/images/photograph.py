"""Photographs with their metadata: pixels, alpha, profile, EXIF and density."""

import dataclasses
import pathlib
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath, ValueLimits
from keras_indi.images.channels import to_channels
from keras_indi.images.colour_profiles import cmyk_by_profile
from keras_indi.images.decoding import StoredImage, checked_floats, opened
from keras_indi.images.jpeg_quality import jpeg_quality
from keras_indi.images.metadata import Metadata, read_metadata, stored_profile
from keras_indi.images.orientation import upright
from keras_indi.images.several_pictures import other_pictures
from keras_indi.images.tiff_samples import CMYK, LAB, NOTES, PALETTE
from keras_indi.images.unusable import MAX_PIXELS


@dataclasses.dataclass
class Photograph:
    """Content of an image file.

    Attributes:
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, grey or
            RGB, in the colour space of the file. The EXIF orientation is not
            applied. For float files, float32 in [0, 1].
        alpha: Array of shape `(height, width)` of the same dtype, or `None`.
        orientation: Int, the EXIF orientation, 1 for upright.
        metadata: `keras_indi.images.metadata.Metadata`. Its EXIF block contains the
            orientation.
        notes: List of strings: what could not be kept.
        jpeg_quality: Int, estimated from the quantization tables, on the usual scale
            of 1 to 100. `None` if the file is not a JPEG.
        float_dtype: String, `"float16"` or `"float32"`, dtype of a float file.
        value_range: Pair of numbers, values of black and white in a float file.

    Example:

    >>> photograph = keras_indi.images.read_photograph("photo.jpg")
    >>> photograph.pixels.shape
    (16, 16, 3)
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    orientation: int
    metadata: Metadata
    notes: list[str]
    jpeg_quality: int | None = None
    float_dtype: str | None = None
    value_range: ValueLimits = (0, 1)

    @property
    def upright(self) -> np.ndarray:
        """The pixels with the orientation applied."""
        return upright(self.pixels, self.orientation)

    def with_pixels(self, pixels: np.ndarray, alpha: np.ndarray | None) -> "Photograph":
        """Return the photograph with other pixels and the same physical size.

        Args:
            pixels: Array of shape `(height, width, 1 or 3)`.
            alpha: Array of shape `(height, width)` of the same dtype, or `None`.

        Returns:
            A `Photograph`.
        """
        rows, columns = (
            new / old for new, old in zip(pixels.shape[:2], self.pixels.shape)
        )
        metadata = self.metadata
        if (rows, columns) != (1, 1):
            metadata = metadata.resized((rows, columns), pixels.shape[:2])
        return dataclasses.replace(self, pixels=pixels, alpha=alpha, metadata=metadata)


def read_photograph(
    path: FilePath,
    max_pixels: int | None = None,
    value_range: ValueLimits | None = None,
    clip: bool = False,
    most: float = MAX_PIXELS,
) -> Photograph:
    """Read an image file with all metadata that restoration should keep.

    Palettes and CMYK are converted to RGB, and bilevel images to grey. Only the first
    page or frame is read. `notes` lists these changes.

    Args:
        path: Path of the file, as for `keras_indi.data.read_image`.
        max_pixels: As for `keras_indi.data.read_image`.
        value_range: Pair of numbers, values of black and white in a float file.
            Defaults to (0, 1). Ignored for integer files.
        clip: Bool, whether floats outside the range are clipped with a note. By
            default they raise an error.
        most: Number, maximum number of pixels if `max_pixels` is `None`.

    Returns:
        A `Photograph`.

    Raises:
        UnusableImageError: As for `keras_indi.data.read_image`.
        ImportError: As for `keras_indi.data.read_image`.
    """
    value_range = (0, 1) if value_range is None else value_range
    with opened(path, max_pixels, most, by_profile=True) as stored:
        info, header = stored.info, stored.header
        image = stored.pixels()
        with pathlib.Path(path).open("rb") as file:
            metadata = read_metadata(stored, file)
            profile = metadata.icc_profile or stored_profile(stored, file)
        notes = pixel_notes(stored)
        if metadata.icc_profile is None and profile and not _has_own_colours(stored):
            notes.append("its colour profile is damaged or of other colours: left out")
        notes += filter(None, [other_pictures(pathlib.Path(path))])
        if stored.samples is None and header.mode == "CMYK":
            rgb = cmyk_by_profile(header, profile)
            image = image if rgb is None else rgb
        tables = getattr(header, "quantization", None)
    photograph = Photograph(
        pixels=to_channels(image[..., : info.channels], info.channels),
        alpha=np.ascontiguousarray(image[..., -1]) if info.has_alpha else None,
        orientation=stored.orientation,
        metadata=metadata,
        notes=notes,
        jpeg_quality=jpeg_quality(tables) if tables else None,
    )
    if info.is_float:
        photograph.float_dtype = str(image.dtype)
        photograph.value_range = value_range
        _to_unit_range(photograph, clip)
    return photograph


def pixel_notes(stored: StoredImage) -> list[str]:
    """Describe in sentences how reading changes the pixels of a file."""
    header, notes = stored.header, []
    if stored.samples is not None:
        notes += stored.samples.notes
        if header.dtype == bool:
            notes.append("its bits became 8-bit grey")
    else:
        if header.mode == "CMYK":
            notes.append(NOTES[CMYK])
        elif header.mode in ("P", "PA"):
            notes.append(NOTES[PALETTE])
        elif header.mode == "1":
            notes.append("its bits became 8-bit grey")
        notes += filter(None, [fewer_bits(stored)])
    return notes


def fewer_bits(stored: StoredImage) -> str | None:
    """Return a note on bits of AVIF and HEIC that are not decoded, or `None`."""
    bits = 8 if stored.samples is not None else stored.header.info.get("bit_depth", 8)
    return f"its {bits} bits became 8" if bits > 8 else None


def _has_own_colours(stored: StoredImage) -> bool:
    """Return whether the profile describes colours that reading converts to RGB."""
    if stored.samples is None:
        return stored.header.mode == "CMYK"
    return stored.samples.kind in (CMYK, LAB)


def _to_unit_range(photograph: Photograph, clip: bool) -> None:
    """Convert floats from the range of the file to float32 in [0, 1]."""
    low, high = photograph.value_range
    pixels: Any = photograph.pixels.astype("float32")
    if clip:
        outside = np.mean((pixels < low) | (pixels > high))
        if outside:
            photograph.notes.append(
                f"{100 * outside:.2g} % of its values were clipped to [{low:g}, "
                f"{high:g}]"
            )
        pixels = np.clip(pixels, low, high)
    pixels = checked_floats(pixels, (low, high))
    photograph.pixels = (pixels - np.float32(low)) / np.float32(high - low)
    if photograph.alpha is not None:  # always of [0, 1]
        photograph.alpha = np.clip(photograph.alpha.astype("float32"), 0, 1)
