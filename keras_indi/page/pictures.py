"""Pictures for the page, at full resolution."""

import pathlib
from collections.abc import Sequence

import numpy as np

from keras_indi.data.resize import resize
from keras_indi.evaluation.plots import heat_map, require_pillow
from keras_indi.evaluation.uncertainty_maps import Uncertainty
from keras_indi.images.photograph import Photograph
from keras_indi.images.value_ranges import RANGES, convert
from keras_indi.images.whole_writes import write_encoded
from keras_indi.restoration.comparison import as_shown

# Larger pictures are lossy: lossless ones would take too long to load.
LOSSLESS = 4_000_000


def write_pair(
    folder: pathlib.Path, name: str, degraded: Photograph, restored: Photograph
) -> tuple[pathlib.Path, pathlib.Path]:
    """Write the before and after pictures, both of the same size.

    Args:
        folder: `pathlib.Path`.
        name: String, used in the file names.
        degraded: `Photograph`, enlarged here to the size of `restored`.
        restored: `Photograph`.

    Returns:
        Pair of paths.
    """
    before, after = as_shown(degraded.upright), as_shown(restored.upright)
    height, width = after.shape[:2]
    before = resize(before, height, width, "bilinear")
    profile = _profile(restored)
    return (
        _write(folder / f"{name}-before", before, profile),
        _write(folder / f"{name}-after", after, profile),
    )


def write_draws(
    folder: pathlib.Path, draws: Sequence[Photograph]
) -> tuple[list[pathlib.Path], pathlib.Path, float]:
    """Write a picture of each draw, and a map of their spread.

    Args:
        folder: `pathlib.Path`.
        draws: List of two or more `Photograph`s.

    Returns:
        Tuple of the list of paths, the path of the map, and the standard deviation of
        its brightest colour, in grey levels of 255.
    """
    paths = [
        _write(folder / f"draw-{number}", as_shown(draw.upright), _profile(draw))
        for number, draw in enumerate(draws, 1)
    ]
    values = np.stack([convert(d.upright, "float32", RANGES["uint8"]) for d in draws])
    spread = Uncertainty(values, values[0], None, RANGES["uint8"]).standard_deviation
    spread = np.sqrt(np.mean(np.square(spread), axis=-1))
    largest = float(spread.max())
    return paths, _write(folder / "spread", heat_map(spread, largest), None), largest


def _profile(photograph):
    """Return the colour profile for a three-channel picture."""
    coloured = photograph.pixels.shape[-1] == 3
    return photograph.metadata.icc_profile if coloured else None


def _write(path, pixels, profile):
    picture = require_pillow().fromarray(pixels)
    options = {"icc_profile": profile} if profile else {}
    if pixels[..., 0].size <= LOSSLESS:
        path, options["compress_level"] = path.with_suffix(".png"), 1
    else:
        path, options["quality"] = path.with_suffix(".jpg"), 95
        options["subsampling"] = "4:4:4"
    return write_encoded(path, lambda file: picture.save(file, **options))
