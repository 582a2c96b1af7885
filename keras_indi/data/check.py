"""Check a set of pairs before training."""

import collections
import dataclasses
import typing

import keras
import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.data.crops import scale_of
from keras_indi.data.resize import resize
from keras_indi.data.shift import measure_shift
from keras_indi.images.decoding import (
    ImageInfo,
    UnusableImageError,
    inspect_image,
    read_image,
)
from keras_indi.images.image_files import Match, listed, match_folders
from keras_indi.images.value_ranges import convert

MAX_SHIFT = 1.0  # pixels
VIEW_SIZE = 192  # height and width of the crops for a contact sheet, in pixels


class PairCheck(typing.NamedTuple):
    """Properties of one readable pair.

    Attributes:
        degraded: `ImageInfo`.
        clean: `ImageInfo`.
        scale: Int, size of the clean image relative to the degraded one.
        shift: Pair of floats, shift of the degraded image down and to the right, in
            pixels of the clean image. NaN if the images are flat.
        psnr: Float, PSNR of the degraded image in dB over all channels, after
            enlarging it to the size of the clean image. Infinite if both are equal.
    """

    degraded: ImageInfo
    clean: ImageInfo
    scale: int
    shift: tuple[float, float]
    psnr: float


@dataclasses.dataclass
class SetCheck:
    """Result of `check_folders`.

    Attributes:
        match: `Match` of the folders.
        pairs: Dict of name to `PairCheck`, the readable pairs.
        unusable: Dict of name to reason, the unusable pairs.
        max_shift: Float, maximum shift in pixels of an aligned pair.
    """

    match: Match
    pairs: dict[str, PairCheck]
    unusable: dict[str, str]
    max_shift: float
    max_pixels: int | None = None

    @property
    def misaligned(self) -> dict[str, float]:
        """Dict of name to shift in pixels, misaligned pairs, largest shift first."""
        lengths = {name: float(np.hypot(*p.shift)) for name, p in self.pairs.items()}
        far = {name: size for name, size in lengths.items() if size > self.max_shift}
        return dict(sorted(far.items(), key=lambda item: -item[1]))

    @property
    def usable(self) -> bool:
        """Whether there are pairs and no problem was found."""
        alone = self.match.only_degraded or self.match.only_clean
        return bool(self.pairs) and not (alone or self.unusable or self.misaligned)

    def report(self) -> str:
        """Return the findings as text, one per line."""
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
                f"({listed(names)}). Look at these: a shift cannot be measured where "
                "an image has little structure."
            )
        if self.unusable:
            reasons = [f"{name}: {reason}" for name, reason in self.unusable.items()]
            lines.append(f"unusable: {len(reasons)} ({listed(reasons)})")
        return "\n".join(lines)


def check_folders(
    degraded_dir: FilePath,
    clean_dir: FilePath,
    max_shift: float = MAX_SHIFT,
    max_pixels: int | None = None,
    verbose: int = 1,
) -> SetCheck:
    """Read all pairs of two folders and find problems for training.

    Args:
        degraded_dir: Path of the degraded images' folder.
        clean_dir: Path of the clean images' folder.
        max_shift: Float, maximum shift of an aligned pair, in pixels of the clean
            image. An asymmetric blur shifts an image by a part of its own width.
        max_pixels: As for `read_image`. Larger images are reported as unusable.
        verbose: 1 shows a progress bar, 0 nothing.

    Returns:
        A `SetCheck`.

    Raises:
        ValueError: If a folder does not exist or contains the same name twice.
        ImportError: If Pillow, OpenCV or scikit-image is missing.

    Example:

    ```python
    result = keras_indi.data.check_folders("train/noisy", "train/clean")
    print(result.report())
    ```
    """
    match = match_folders(degraded_dir, clean_dir)
    result = SetCheck(match, {}, {}, max_shift, max_pixels)
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
    return result


def crops_to_look_at(result: SetCheck, count: int = 6) -> dict[str, list[np.ndarray]]:
    """Return centre crops of the most informative pairs, for a contact sheet.

    Args:
        result: A `SetCheck` with readable pairs.
        count: Int, maximum number of pairs. Up to half are misaligned pairs, and the
            others are spread from the lowest to the highest PSNR.

    Returns:
        Dict of name to list of three uint8 arrays `(VIEW_SIZE, VIEW_SIZE, 3)`:
        degraded, clean, and half their difference on grey.
    """
    ranked = sorted(result.pairs, key=lambda name: result.pairs[name].psnr)
    spread = np.linspace(0, len(ranked) - 1, min(count, len(ranked)))
    names = [*list(result.misaligned)[: max(1, count // 2)]]
    names += [ranked[round(i)] for i in spread]
    return {
        name: _crops(result.match.pairs[name], result.max_pixels)
        for name in names[:count]
    }


def _crops(paths, max_pixels):
    pair = _alike(*(read_image(path, 3, max_pixels) for path in paths))
    degraded, clean = (convert(image, "float32", (0, 255)) for image in pair)
    shown = degraded, clean, 127.5 + 0.5 * (degraded - clean)
    return [np.rint(np.clip(_centre(i), 0, 255)).astype("uint8") for i in shown]


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
    """Return the pair with the degraded image enlarged to the clean one's size."""
    if degraded.shape == clean.shape:
        return degraded, clean
    return resize(degraded, *clean.shape[:2], "bilinear", antialias=False), clean


def _centre(image):
    """Return the centre crop of an image, padded with white if it is smaller."""
    top, left = (max(0, size - VIEW_SIZE) // 2 for size in image.shape[:2])
    crop = image[top : top + VIEW_SIZE, left : left + VIEW_SIZE]
    missing = [(0, VIEW_SIZE - size) for size in crop.shape[:2]]
    return np.pad(crop, (*missing, (0, 0)), constant_values=255)


def _counted(infos):
    """Summarize sizes, channels, bits and formats of images, with counts."""
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
