"""A photograph with all that its file says: pixels, alpha, profile, EXIF, density."""

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
    """An image file's content.

    Attributes:
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, grey or
            RGB, in the file's own colour space, as the file stores them: not
            turned by its EXIF orientation. Of a file of floats, float32 in [0, 1].
        alpha: Array of shape `(height, width)` of the same dtype, or `None`.
        orientation: Int, the EXIF orientation, 1 for upright.
        metadata: `keras_indi.images.metadata.Metadata`, with the orientation in its
            EXIF block.
        notes: List of strings: what of the file could not be kept.
        jpeg_quality: Int, by its quantization tables, on the usual scale of 1 to 100;
            `None` where the file is no JPEG.
        float_dtype: String, `"float16"` or `"float32"`, of a file of floats.
        value_range: Pair of numbers, what black and white are in a file of floats.

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
        """The pixels, turned as a viewer shows them."""
        return upright(self.pixels, self.orientation)

    def with_pixels(self, pixels: np.ndarray, alpha: np.ndarray | None) -> "Photograph":
        """The photograph with other pixels, as large on paper where they are more.

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
    """Read an image file with all that restoring should keep.

    Palettes and CMYK become RGB, bits become grey; of several pages or frames the
    first is read. `notes` say so.

    Args:
        path: Path of the file, as for `keras_indi.data.read_image`.
        max_pixels: As for `keras_indi.data.read_image`.
        value_range: Pair of numbers, what black and white are in a file of floats.
            Defaults to (0, 1). Files of integers have their own.
        clip: Bool, whether floats outside the range are clipped, and noted, rather
            than refused.
        most: Number, the most pixels where `max_pixels` is `None`.

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
    """What becomes of a file's pixels when they are read, in sentences."""
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
        if header.info.get("bit_depth", 8) > 8:  # of AVIF and HEIC
            notes.append(f"its {header.info['bit_depth']} bits became 8")
    return notes


def _has_own_colours(stored: StoredImage) -> bool:
    """Whether its profile is of colours that it has no more, once it is read."""
    if stored.samples is None:
        return stored.header.mode == "CMYK"
    return stored.samples.kind in (CMYK, LAB)


def _to_unit_range(photograph: Photograph, clip: bool) -> None:
    """Floats of the file's range as float32 in [0, 1]."""
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
