"""Interpretation of TIFF samples: grey, colours and alpha."""

from typing import Any

import numpy as np

from keras_indi.images.colour_profiles import cmyk_by_profile
from keras_indi.images.unusable import UnusableImageError

# Photometric interpretations, and the number of colour samples per pixel of each.
WHITE_IS_0, BLACK_IS_0, RGB, PALETTE, CMYK, YCBCR, LAB = 0, 1, 2, 3, 5, 6, 8
COLOURS = {WHITE_IS_0: 1, BLACK_IS_0: 1, RGB: 3, PALETTE: 1, CMYK: 4, YCBCR: 3, LAB: 3}
UNSPECIFIED, ASSOCIATED, UNASSOCIATED = 0, 1, 2  # extra samples
INK_SET, YCBCR_COEFFICIENTS, REFERENCE_BLACK_WHITE = 332, 529, 532  # tags
JPEG = (6, 7, 34892)  # compressions whose decoder converts YCbCr to RGB
# Required values of these tags, if present, for conversion with Pillow.
REC_601 = (0.299, 0.587, 0.114)
FULL_RANGE = (0, 255, 128, 255, 128, 255)
NOTES = {
    PALETTE: "its palette became RGB",
    CMYK: "its CMYK became RGB",
    YCBCR: "its YCbCr became RGB",
    LAB: "its L*a*b* became RGB",
}
IRREVERSIBLE = (NOTES[CMYK], NOTES[LAB])  # their gamut is larger than that of RGB


class TiffSamples:
    """Convert the samples of a page to grey or RGB, with or without alpha.

    If the page is grey with extra samples of unspecified meaning, as in microscopy, all
    samples are separate channels.

    Args:
        page: A `tifffile.TiffPage`.
        by_profile: Bool, whether 8-bit CMYK is converted to sRGB with the colour
            profile of the file.

    Attributes:
        channels: Int, channels of the result, including alpha.
        has_alpha: Bool, whether the last channel is alpha, not multiplied in.
        is_photograph: Bool, whether the result is grey or RGB with at most 16 bits, or
            floats.
        dtype: NumPy dtype of the result.
        notes: List of strings, conversions that were applied.
        left_out: String, the note on channels that are not read, or `None`.

    Raises:
        UnusableImageError: If the page has samples that are not supported.
    """

    def __init__(self, page: Any, by_profile: bool = False) -> None:
        self.kind = BLACK_IS_0 if page.photometric is None else int(page.photometric)
        name = getattr(page.photometric, "name", page.photometric)
        if page.dtype is None:
            raise UnusableImageError(
                f"not read (TIFF samples of {page.bitspersample} bits, format "
                f"{page.sampleformat})"
            )
        if self.kind not in COLOURS:
            raise UnusableImageError(f"not read (TIFF of photometric {name})")
        self._bits = page.bitspersample
        self._profile = None
        if by_profile and self.kind == CMYK and page.bitspersample == 8:
            self._profile = page.iccprofile
        self._decoded_rgb = int(page.compression) in JPEG
        self._source = np.dtype(page.dtype).newbyteorder("=")
        self._colormap = page.colormap if self.kind == PALETTE else None
        colours = COLOURS[self.kind]
        extra = page.samplesperpixel - colours
        if extra < 0:
            raise UnusableImageError(
                f"not read (TIFF of photometric {name} with {page.samplesperpixel} "
                "samples a pixel)"
            )
        self._check(page, name)
        self.notes = [NOTES[self.kind]] if self.kind in NOTES else []
        meanings = [int(meaning) for meaning in page.extrasamples][:extra]
        alphas = [i for i, m in enumerate(meanings) if m in (ASSOCIATED, UNASSOCIATED)]
        self.has_alpha = bool(alphas)
        self._alpha = colours + alphas[0] if alphas else -1
        self._associated = bool(alphas) and meanings[alphas[0]] == ASSOCIATED
        generic = self.kind == BLACK_IS_0 and extra > 0 and not alphas
        self._colours = colours + extra if generic else colours
        left = 0 if generic else extra - len(alphas[:1])
        self.left_out = None
        if left:
            self.left_out = f"{left} extra channel{'s' * (left > 1)} left out"
            self.notes.append(self.left_out)
        grey = self.kind in (WHITE_IS_0, BLACK_IS_0)
        self.channels = (self._colours if grey else 3) + self.has_alpha
        self.dtype = self._source
        if self._source.kind in "bu" and self._bits <= 16:
            self.dtype = np.dtype("uint8" if self._bits <= 8 else "uint16")
        if self.kind == PALETTE:
            self.dtype = np.dtype("uint8")
        few = self._source.kind == "u" and self._bits not in (8, 16)
        if few and self._bits < 16 and self.kind != PALETTE:
            full = 8 * self.dtype.itemsize
            self.notes.append(f"its {self._bits} bits became {full}")
        # Excludes the rare float64, which cannot be written again unchanged.
        self.is_photograph = not generic and (
            self.dtype in ("uint8", "uint16", "float16", "float32")
        )

    def _check(self, page, name):
        if self.kind == PALETTE:
            of_bits = self._source.kind in "bu" and page.bitspersample <= 16
            if self._colormap is None or not of_bits:
                raise UnusableImageError(
                    "unreadable (TIFF palette without its colours)"
                )
            return
        if self.kind in (CMYK, YCBCR, LAB):
            usual = self._source.kind == "u" and self._bits in (8, 16)
            if not usual or (self.kind != CMYK and self._bits != 8):
                raise UnusableImageError(
                    f"not read (TIFF of photometric {name} and {page.dtype} values)"
                )
        if self.kind == CMYK and page.tags.valueof(INK_SET, 1) != 1:
            raise UnusableImageError("not read (TIFF of inks other than CMYK)")
        if self.kind == YCBCR and int(page.compression) not in JPEG:
            subsampling = tuple(page.tags.valueof(530, (2, 2)))
            coefficients = fractions(page.tags.valueof(YCBCR_COEFFICIENTS), REC_601)
            reference = fractions(page.tags.valueof(REFERENCE_BLACK_WHITE), FULL_RANGE)
            if (
                subsampling != (1, 1)
                or not np.allclose(coefficients, REC_601, atol=1e-3)
                or not np.allclose(reference, FULL_RANGE)
            ):
                raise UnusableImageError(
                    "not read (TIFF of YCbCr with subsampled or unusual colours)"
                )
        if self.kind == WHITE_IS_0 and self._source.kind not in "bu":
            raise UnusableImageError(
                f"not read (TIFF whose white is 0, of {page.dtype} values)"
            )

    def __call__(self, samples: np.ndarray) -> np.ndarray:
        """Convert samples `(height, width, samples)` to channels.

        Returns:
            Array of shape `(height, width, channels)`, of `dtype`.
        """
        image = self._in_colours(samples[..., : self._colours])
        if not self.has_alpha:
            return image
        alpha = self._full_range(samples[..., self._alpha : self._alpha + 1])
        if self._associated:
            image = divided_by_alpha(image, alpha)
        return np.concatenate([image, alpha], axis=-1)

    def _full_range(self, samples):
        """Scale integers of other bit depths to the full range of 8 or 16 bits."""
        if samples.dtype == bool:
            return samples.astype("uint8") * np.uint8(255)
        most, full = 2**self._bits - 1, 0
        if self._source.kind == "u" and self._bits <= 16:
            full = np.iinfo(self.dtype).max
        if not full or full == most:
            return samples.astype(self.dtype, copy=False)
        return np.rint(samples * (full / most)).astype(self.dtype)

    def _in_colours(self, samples):
        if self.kind == PALETTE:
            # Some old writers store 8-bit colours where 16 bits are specified.
            shift = 8 if self._colormap.max() > 255 else 0
            colours = (self._colormap >> shift).astype("uint8")
            return colours.T[samples[..., 0].astype(int)]
        if self.kind == LAB:
            return _lab_to_srgb(samples)
        if self.kind == YCBCR and not self._decoded_rgb:
            return _by_pillow("YCbCr", samples)
        image = self._full_range(samples)
        if self.kind == WHITE_IS_0:
            return np.iinfo(self.dtype).max - image
        if self.kind == CMYK:
            rgb = self._profile and cmyk_by_profile(image, self._profile)
            return cmyk_to_rgb(image) if rgb is None else rgb
        return image


def fractions(values, default):
    """Return the values of a tag with alternating numerators and denominators."""
    if values is None:
        return np.array(default, "float64")
    values = np.array(values, "float64").reshape(-1, 2)
    if len(values) != len(default):
        return np.full(len(default), np.nan)
    return values[:, 0] / np.where(values[:, 1] == 0, np.nan, values[:, 1])


def divided_by_alpha(image: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Divide premultiplied colours by alpha. Colours become black where alpha is 0."""
    integers = image.dtype.kind == "u"
    most = np.iinfo(image.dtype).max if integers else 1
    share = np.maximum(alpha.astype("float64"), 1 if integers else 1e-6) / most
    colours = np.clip(image / share, 0, most) * (alpha > 0)
    return (np.rint(colours) if integers else colours).astype(image.dtype)


def cmyk_to_rgb(image: np.ndarray) -> np.ndarray:
    """Convert full-range CMYK integers to RGB without a profile."""
    most = np.iinfo(image.dtype).max
    left = most - image.astype("float64")
    return np.rint(left[..., :3] * left[..., 3:] / most).astype(image.dtype)


def _by_pillow(mode, samples):
    from PIL import Image

    height, width = samples.shape[:2]
    data = np.ascontiguousarray(samples).tobytes()
    return np.asarray(Image.frombytes(mode, (width, height), data).convert("RGB"))


def _lab_to_srgb(samples):
    from PIL import Image, ImageCms

    height, width = samples.shape[:2]
    data = np.ascontiguousarray(samples).tobytes()
    image = Image.frombytes("LAB", (width, height), data)
    profiles = (ImageCms.createProfile(name) for name in ("LAB", "sRGB"))
    return np.asarray(ImageCms.profileToProfile(image, *profiles, outputMode="RGB"))
