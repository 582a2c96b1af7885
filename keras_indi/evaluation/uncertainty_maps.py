"""Uncertainty of a restoration: the spread of its draws, compared with its error."""

import json
import pathlib
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.annotations import FilePath, ValueLimits
from keras_indi.data.resize import resize
from keras_indi.evaluation.named_pairs import fit_each_other, must_fit, restore_scale
from keras_indi.evaluation.plots import (
    contact_sheet,
    heat_map,
    require_pillow,
    viewable,
)
from keras_indi.images.whole_writes import write_encoded, write_text
from keras_indi.models import checks
from keras_indi.validation import checked_integer

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer

GROUPS = 4  # of equal size, ordered by spread
WIDTHS = (1, 2, 3)  # standard deviations


def uncertainty(
    model: "Restorer",
    degraded: np.ndarray,
    clean: np.ndarray | None = None,
    num_samples: int = 16,
    seed: int = 0,
    **restore_arguments: Any,
) -> "Uncertainty":
    """Draw several restorations of one image, and measure their spread.

    Args:
        model: A `keras_indi.models.InDI` with a nonzero noise schedule.
        degraded: Array of shape `(height, width, channels)`, in the model's
            `value_range`.
        clean: Array of the same shape, or the model's `scale` times larger, to compare
            the spread with the error. Defaults to `None`.
        num_samples: Int >= 2, number of draws.
        seed: Int, fixes the draws.
        **restore_arguments: `num_steps`, `sampler` and so on of `model.restore`.

    Returns:
        `Uncertainty`.

    Raises:
        ValueError: If the draws cannot differ, or the images do not match the model or
            each other.

    Example:

    ```python
    found = uncertainty(model, degraded, clean, num_samples=32, num_steps=10)
    print(found.coverage["rank_correlation"])
    found.save("uncertainty")
    ```
    """
    checked_integer("num_samples", num_samples, least=2)
    checks.check_draws_differ(model)
    degraded = np.asarray(degraded)
    clean = None if clean is None else np.asarray(clean)
    scale = getattr(model, "scale", 1)
    fit = clean is None or (
        degraded.ndim == 3 and fit_each_other(degraded, clean, scale)
    )
    if degraded.ndim != 3 or not fit:
        raise ValueError(
            f"The images must be single ones and {must_fit(scale)}. "
            f"Received: degraded of shape {degraded.shape}, clean of shape "
            f"{None if clean is None else clean.shape}"
        )
    # As floats, so that rounding does not hide spread.
    draws = model.restore(
        degraded.astype("float32"),
        num_samples=num_samples,
        seed=seed,
        **{**restore_scale(model, degraded, clean), **restore_arguments},
    )
    return Uncertainty(draws, degraded, clean, model.value_range)


class Uncertainty:
    """Mean and spread of the draws of one image, as returned by `uncertainty`.

    Args:
        draws: Array of shape `(num_samples, height, width, channels)`.
        degraded: Array of shape `(height, width, channels)`, which may be smaller.
        clean: Array of that shape, or `None`.
        value_range: Pair of numbers, the images' smallest and largest value, or
            `None`.

    Attributes:
        mean: float64 array `(height, width, channels)`.
        standard_deviation: float64 array of that shape, of the draws about their
            mean, with `num_samples - 1` in the denominator.
        coverage: Dict of the function `coverage`; `None` without the clean image.

    Example:

    >>> found = keras_indi.evaluation.uncertainty(noisy_model, image, num_samples=2)
    >>> found.mean.shape
    (16, 16, 3)
    """

    def __init__(
        self,
        draws: np.ndarray,
        degraded: np.ndarray,
        clean: np.ndarray | None,
        value_range: ValueLimits | None,
    ) -> None:
        draws = np.asarray(draws, "float64")
        self.num_samples = len(draws)
        self.mean = draws.mean(axis=0)
        self.standard_deviation = draws.std(axis=0, ddof=1)
        self.coverage = None
        if clean is not None:
            self.coverage = coverage(self.mean, self.standard_deviation, clean)
        self._degraded = degraded
        self._clean = clean
        self._value_range = value_range

    def save(self, folder: FilePath) -> pathlib.Path:
        """Write the pictures and the scores.

        Writes `mean.png`; `standard_deviation.png`, a heat map of the root mean square
        over channels; with a clean image `error.png`, likewise; `sheet.png`, all of
        them side by side; and `uncertainty.json`, with the coverage and the values of
        the darkest and brightest colours of the maps.

        Args:
            folder: Path of the folder.

        Returns:
            `pathlib.Path` of the folder.
        """
        folder = pathlib.Path(folder)
        picture = require_pillow().fromarray
        views = {"degraded": self._degraded, "mean": self.mean}
        height, width = self.mean.shape[:2]
        views = {
            name: resize(viewable(view, self._value_range), height, width, "bilinear")
            for name, view in views.items()
        }
        maps = {"standard_deviation": self.standard_deviation}
        if self._clean is not None:
            maps["error"] = np.abs(self.mean - np.asarray(self._clean, "float64"))
        scales = {}
        for name, values in maps.items():
            values = np.sqrt(np.mean(np.square(values), axis=-1))
            scales[name] = [0.0, float(values.max())]
            views[name] = heat_map(values, scales[name][1])
        spans = {"standard_deviation": "spread", "error": "error"}
        labels = [
            f"{spans[name]} < {scales[name][1]:.3g}" if name in scales else name
            for name in views
        ]
        for name in ("mean", *maps):
            write_encoded(folder / f"{name}.png", picture(views[name]).save)
        if self._clean is not None:
            views["clean"] = viewable(self._clean, self._value_range)
            labels.append("clean")
        sheet = contact_sheet([list(views.values())], labels)
        write_encoded(folder / "sheet.png", sheet.save)
        content = {
            "num_samples": self.num_samples,
            "mean_standard_deviation": float(self.standard_deviation.mean()),
            "scales": scales,
            "coverage": self.coverage,
        }
        write_text(folder / "uncertainty.json", json.dumps(content, indent=2) + "\n")
        return folder


def coverage(
    mean: np.ndarray, standard_deviation: np.ndarray, clean: np.ndarray
) -> dict[str, Any]:
    """Measure whether the error is large where the spread is large.

    For exact, normal draws of the posterior, the error of their mean lies within 1, 2
    and 3 standard deviations in 68.3, 95.4 and 99.7 % of cases, in every group. With
    few draws, the shares are slightly lower.

    Args:
        mean: Array, the mean of the draws.
        standard_deviation: Array of that shape, their spread.
        clean: Array of that shape.

    Returns:
        Dict of `"rank_correlation"`, Spearman's correlation of absolute error and
        spread (`None` if either is constant); `"within"`, the shares of values with
        |error| <= 1, 2 and 3 standard deviations; and `"groups"`, four groups of equal
        size from small to large spread. Each group is a dict of its mean
        `"standard_deviation"`, its mean absolute `"error"` and its `"within"`.
    """
    error = np.abs(np.asarray(mean, "float64") - np.asarray(clean, "float64")).ravel()
    spread = np.asarray(standard_deviation, "float64").ravel()

    def within(chosen):
        return {
            str(width): float(np.mean(error[chosen] <= width * spread[chosen]))
            for width in WIDTHS
        }

    order = np.argsort(spread, kind="stable")
    return {
        "rank_correlation": _rank_correlation(error, spread),
        "within": within(order),
        "groups": [
            {
                "standard_deviation": float(spread[group].mean()),
                "error": float(error[group].mean()),
                "within": within(group),
            }
            for group in np.array_split(order, GROUPS)
        ],
    }


def _rank_correlation(a, b):
    """Return Spearman's correlation; equal values share a rank."""
    ranks = []
    for values in (a, b):
        _, index, counts = np.unique(values, return_inverse=True, return_counts=True)
        ranks.append((np.cumsum(counts) - (counts - 1) / 2)[index])
    if any(np.ptp(rank) == 0 for rank in ranks):
        return None
    return float(np.corrcoef(*ranks)[0, 1])
