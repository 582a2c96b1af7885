"""A look at a set of pairs before anyone trains on it."""

import collections
import dataclasses
import typing

import keras
import numpy as np

from keras_indi.data.crops import scale_of
from keras_indi.data.files import Match, listed, match_folders
from keras_indi.data.images import (
    MAX_PIXELS,
    ImageInfo,
    UnusableImageError,
    inspect_image,
    read_image,
)
from keras_indi.data.resize import resize
from keras_indi.data.value_ranges import convert

MAX_SHIFT = 1.0  # pixels
# Shifts are measured on what lies between these two widths (Gaussian sigmas): finer
# is noise and what a degradation takes, coarser is shading.
FINEST, COARSEST = 1.5, 8.0
SHIFT_STEPS = 20  # parts of a pixel
VIEW_SIZE = 192  # pixels, of the crops for a contact sheet


class PairCheck(typing.NamedTuple):
    """One readable pair.

    Attributes:
        degraded: `ImageInfo`.
        clean: `ImageInfo`.
        scale: Int, how many times larger the clean image is.
        shift: Pair of floats, rows and columns by which the degraded image lies
            below and to the right of the clean one, in pixels of the clean one.
            NaN where both are flat.
        psnr: Float, of the degraded image, enlarged where the clean is larger, in
            dB over all channels; infinite where both are equal.
    """

    degraded: ImageInfo
    clean: ImageInfo
    scale: int
    shift: tuple
    psnr: float


@dataclasses.dataclass
class SetCheck:
    """What `check_folders` found.

    Attributes:
        match: The folders' `Match`.
        pairs: Dict of name to `PairCheck`, of the readable pairs.
        unusable: Dict of name to reason, of the others.
        max_shift: Float, pixels beyond which a pair counts as misaligned.
    """

    match: Match
    pairs: dict
    unusable: dict
    max_shift: float

    @property
    def misaligned(self):
        """Dict of name to shift in pixels, of misaligned pairs, the worst first."""
        lengths = {name: float(np.hypot(*p.shift)) for name, p in self.pairs.items()}
        far = {name: size for name, size in lengths.items() if size > self.max_shift}
        return dict(sorted(far.items(), key=lambda item: -item[1]))

    @property
    def usable(self):
        """Whether there are pairs, and nothing was found to mend."""
        alone = self.match.only_degraded or self.match.only_clean
        return bool(self.pairs) and not (alone or self.unusable or self.misaligned)

    def report(self):
        """The findings as text, one a line."""
        alone = self.match.report()
        lines = [alone or f"{len(self.match.pairs)} pairs, none without a partner"]
        for side in ("degraded", "clean"):
            infos = [getattr(pair, side) for pair in self.pairs.values()]
            lines += [f"{side}: {_counted(infos)}"] if infos else []
        if self.pairs:
            scales = sorted({pair.scale for pair in self.pairs.values()})
            if scales != [1]:
                lines.append(f"clean larger than degraded: {_joined(scales)} times")
            psnr = [pair.psnr for pair in self.pairs.values()]
            lines.append(f"PSNR of the degraded: {_spread(psnr)} dB")
            shifts = [np.hypot(*pair.shift) for pair in self.pairs.values()]
            lines.append(f"shift between the two: {_spread(shifts)} pixels")
        if self.misaligned:
            names = [f"{name}: {size:.1f}" for name, size in self.misaligned.items()]
            lines.append(
                f"misaligned by more than {self.max_shift:g} pixels: {len(names)} "
                f"({listed(names)})"
            )
        if self.unusable:
            reasons = [f"{name}: {reason}" for name, reason in self.unusable.items()]
            lines.append(f"unusable: {len(reasons)} ({listed(reasons)})")
        return "\n".join(lines)


def check_folders(
    degraded_dir, clean_dir, max_shift=MAX_SHIFT, max_pixels=MAX_PIXELS, verbose=1
):
    """Reads all pairs of two folders and looks for what would spoil a training.

    Args:
        degraded_dir: Path of the degraded images' folder.
        clean_dir: Path of the clean images' folder.
        max_shift: Float, pixels of the clean image beyond which a pair counts as
            misaligned. An uneven blur moves an image by some of its own width.
        max_pixels: Int, larger images count as unusable.
        verbose: 1 shows a progress bar, 0 nothing.

    Returns:
        A `SetCheck`.

    Raises:
        ValueError: If a folder does not exist, or holds one name twice.
        ImportError: If Pillow, OpenCV or scikit-image is missing.
    """
    match = match_folders(degraded_dir, clean_dir)
    result = SetCheck(match, {}, {}, max_shift)
    alone = {**match.only_degraded, **match.only_clean}
    bar = None
    if verbose and match.pairs:
        bar = keras.utils.Progbar(len(match.pairs), unit_name="pair")
    for name, paths in match.pairs.items():
        try:
            result.pairs[name] = _check_pair(*paths, max_pixels)
        except UnusableImageError as error:
            result.unusable[name] = str(error)
        if bar:
            bar.add(1)
    for name, path in alone.items():
        try:
            inspect_image(path, max_pixels)
        except UnusableImageError as error:
            result.unusable[name] = str(error)
    return result


def measure_shift(degraded, clean):
    """By how much one image is shifted against another, by correlation.

    The cross-correlation is computed by Fourier transforms of the windowed,
    band-passed images and refined around its peak to a twentieth of a pixel.

    Args:
        degraded: float32 array of shape `(height, width)`.
        clean: float32 array of the same shape.

    Returns:
        Pair of floats, pixels down and to the right; NaN if an image is flat.

    Reference:
        Guizar-Sicairos, Thurman & Fienup, "Efficient subpixel image registration
        algorithms", Optics Letters 33, 2008.
    """
    try:
        import cv2
        from skimage.registration import phase_cross_correlation
    except ImportError as error:
        raise ImportError(
            "Checking pairs needs OpenCV and scikit-image. Install them: "
            'pip install "keras-indi[data]"'
        ) from error
    window = np.outer(*(np.hanning(size + 2)[1:-1] for size in clean.shape))
    bands = []
    for image in (degraded, clean):
        fine = cv2.GaussianBlur(image, (0, 0), FINEST)
        band = fine - cv2.GaussianBlur(fine, (0, 0), COARSEST)
        if np.ptp(band) < 1e-6 * max(1.0, np.ptp(image)):
            return np.nan, np.nan
        bands.append(window * band)
    shift, _, _ = phase_cross_correlation(
        *bands, upsample_factor=SHIFT_STEPS, normalization=None
    )
    return tuple(float(size) for size in shift)


def examples(match, names):
    """Centre crops of pairs, for a contact sheet.

    Args:
        match: The folders' `Match`.
        names: Names of readable pairs.

    Returns:
        List of rows of three uint8 arrays `(VIEW_SIZE, VIEW_SIZE, 3)`: degraded,
        clean, and half their difference around grey.
    """
    rows = []
    for name in names:
        pair = [read_image(path, 3) for path in match.pairs[name]]
        degraded, clean = (
            convert(image, "float32", (0, 255)) for image in _alike(*pair)
        )
        difference = 127.5 + 0.5 * (degraded - clean)
        rows.append(
            [
                np.rint(np.clip(_centre(image), 0, 255)).astype("uint8")
                for image in (degraded, clean, difference)
            ]
        )
    return rows


def _check_pair(degraded_path, clean_path, max_pixels):
    infos = [inspect_image(path, max_pixels) for path in (degraded_path, clean_path)]
    scale = scale_of(*((info.height, info.width) for info in infos))
    channels = max(info.channels for info in infos)
    pair = [
        read_image(path, channels, max_pixels) for path in (degraded_path, clean_path)
    ]
    degraded, clean = (convert(image, "float32", (0, 1)) for image in _alike(*pair))
    error = np.mean(np.square(degraded - clean, dtype="float64"))
    psnr = float(-10 * np.log10(error)) if error else np.inf
    shift = measure_shift(degraded.mean(axis=-1), clean.mean(axis=-1))
    return PairCheck(*infos, scale, shift, psnr)


def _alike(degraded, clean):
    """The pair with the degraded image enlarged to the clean one's size."""
    if degraded.shape == clean.shape:
        return degraded, clean
    return resize(degraded, *clean.shape[:2], "bilinear", antialias=False), clean


def _centre(image):
    """The centre of an image, continued by white where it is smaller."""
    top, left = (max(0, size - VIEW_SIZE) // 2 for size in image.shape[:2])
    crop = image[top : top + VIEW_SIZE, left : left + VIEW_SIZE]
    missing = [(0, VIEW_SIZE - size) for size in crop.shape[:2]]
    return np.pad(crop, (*missing, (0, 0)), constant_values=255)


def _counted(infos):
    """Sizes, channels, bits and formats of images, with how many have each."""
    areas = sorted(
        ((info.height, info.width) for info in infos), key=lambda size: np.prod(size)
    )
    smallest, largest = (f"{height}x{width}" for height, width in (areas[0], areas[-1]))
    sizes = smallest if smallest == largest else f"{smallest} to {largest}"
    kinds = [
        ("grey" if info.channels == 1 else "RGB")
        + (" with alpha" if info.has_alpha else "")
        + f" {info.bits} bits {info.format}"
        for info in infos
    ]
    return f"{sizes} pixels; {_joined(_counts(kinds))}"


def _counts(values):
    counted = collections.Counter(values)
    if len(counted) == 1:
        return list(counted)
    return [f"{count} {value}" for value, count in counted.most_common()]


def _joined(values):
    return ", ".join(str(value) for value in values)


def _spread(values):
    values = np.asarray(values)
    if np.isnan(values).all():
        return "unknown"
    low, middle, high = np.nanquantile(values, (0, 0.5, 1), method="nearest")
    return f"median {middle:.2f}, from {low:.2f} to {high:.2f}"
