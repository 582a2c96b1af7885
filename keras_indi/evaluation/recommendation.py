"""Recommended settings, chosen from a trade-off table."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_indi.evaluation.protocol import higher_is_better
from keras_indi.evaluation.settings import mean_over_seeds, short_name

if TYPE_CHECKING:
    from keras_indi.evaluation.table import Table


class Recommendation:
    """A setting that meets a target, or the statement that none does.

    Args:
        settings: Dict of `num_steps`, `sampler`, `time_grid` and `time_shift`, the
            arguments of `restore`; `None` if no setting meets the target.
        scores: Dict of the setting's scores, means over the seeds; `None` if no
            setting meets the target.
        statement: String, the result in words.

    Example:

    >>> protocol = keras_indi.evaluation.Protocol(("psnr",))
    >>> table = keras_indi.evaluation.trade_off(
    ...     model, (degraded, clean), num_steps=(1, 2), protocol=protocol
    ... )
    >>> found = keras_indi.evaluation.recommend(table, best="psnr")
    >>> restored = model.restore(image, **found.settings)
    """

    def __init__(
        self,
        settings: dict[str, Any] | None,
        scores: dict[str, float] | None,
        statement: str,
    ) -> None:
        self.settings = settings
        self.scores = scores
        self.statement = statement

    def __bool__(self):
        return self.settings is not None

    def __str__(self):
        return self.statement


def recommend(
    table: "Table",
    best: str = "lpips_alex",
    within: Mapping[str, float] | None = None,
    reach: Mapping[str, float] | None = None,
) -> Recommendation:
    """Find the setting with the best value of one score, within bounds on others.

    Ties go to the setting with the fewest network evaluations. Scores are means over
    the table's seeds.

    Args:
        table: `Table` of `trade_off`.
        best: Name of the score to optimize. LPIPS, FID, KID and `"evaluations"` are
            minimized, PSNR and SSIM are maximized.
        within: Dict from names of scores to the maximum loss compared with one step,
            such as `{"psnr": 0.5}` for half a decibel. Requires a setting of one step
            in the table.
        reach: Dict from names of scores to values that they must reach, such as
            `{"lpips_alex": 0.2}`.

    Returns:
        `Recommendation`, for `model.restore(image, **recommendation.settings)`. It is
        falsy if no setting meets all bounds.

    Raises:
        ValueError: If the table lacks a score, or one step.

    Example:

    ```python
    found = recommend(table, best="lpips_alex", within={"psnr": 0.5})
    print(found)
    fewest = recommend(table, best="evaluations", reach={"lpips_alex": 0.2})
    ```
    """
    within, reach = within or {}, reach or {}
    settings = mean_over_seeds(table)
    missing = [name for name in (best, *within, *reach) if name not in settings[0][1]]
    if missing:
        raise ValueError(
            f"The table must hold every score that is named. Received: {missing}, "
            f"with scores {sorted(settings[0][1])} in the table"
        )
    bounds = [(name, value, f"{value:g}") for name, value in reach.items()]
    if within:
        one_step = [f for setting, f in settings if setting["num_steps"] == 1]
        if not one_step:
            raise ValueError(
                "`within` compares with one step, which the table must hold. Received: "
                f"num_steps={sorted({s['num_steps'] for s, _ in settings})}"
            )
        for name, margin in within.items():
            start = min((f[name] for f in one_step), key=_cost(name))
            bound = start - margin if higher_is_better(name) else start + margin
            bounds.append((name, bound, f"{bound:g}, {margin:g} from one step's"))

    # NaN meets no bound.
    able = [
        (setting, scores)
        for setting, scores in settings
        if all(_cost(n)(scores[n]) <= _cost(n)(bound) for n, bound, _ in bounds)
        and not math.isnan(scores[best])
    ]
    wording = " and ".join(
        f"{name} {'>=' if higher_is_better(name) else '<='} {words}"
        for name, _, words in bounds
    )
    if not able:
        closest = ", ".join(
            f"{name} {min((f[name] for _, f in settings), key=_cost(name)):g}"
            for name, _, _ in bounds
        )
        return Recommendation(
            None,
            None,
            f"None of {len(settings)} settings has {wording or f'a {best}'}"
            + (f" (best of each alone: {closest})." if closest else "."),
        )
    setting, scores = min(
        able, key=lambda item: (_cost(best)(item[1][best]), item[1]["evaluations"])
    )
    shown = ", ".join(
        f"{name} {scores[name]:g}"
        for name in dict.fromkeys([best, *(name for name, _, _ in bounds)])
    )
    return Recommendation(
        setting,
        scores,
        f"num_steps={setting['num_steps']}, sampler={short_name(setting['sampler'])}, "
        f"time_grid={short_name(setting['time_grid'])}, "
        f"time_shift={setting['time_shift']:g}: the best {best} "
        + (f"with {wording} " if wording else "")
        + f"of {len(settings)} settings ({shown}).",
    )


def _cost(name):
    """Return the score as a cost to minimize."""
    return (lambda value: -value) if higher_is_better(name) else float
