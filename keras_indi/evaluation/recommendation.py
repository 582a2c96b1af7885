"""Which steps, sampler, grid and time shift to restore with."""

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from keras_indi.evaluation.protocol import higher_is_better
from keras_indi.evaluation.settings import mean_over_seeds, short_name

if TYPE_CHECKING:
    from keras_indi.evaluation.table import Table


class Recommendation:
    """A setting that reaches a target, or the information that none does.

    Args:
        settings: Dict of `num_steps`, `sampler`, `time_grid` and `time_shift`, the
            arguments of `restore`; `None` where no setting reaches the target.
        scores: Dict of the setting's scores, means over the seeds; `None`
            likewise.
        statement: String, the same in words.

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
    """Find the setting that is best in one score, within bounds on others.

    Of equal ones, that with the fewest network evaluations. Scores are means
    over the table's seeds.

    Args:
        table: `Table` of `trade_off`.
        best: Name of the score to have best: LPIPS, FID, KID and
            `"evaluations"` low, PSNR and SSIM high.
        within: Dict of names of scores to how much worse than one step's they
            may be, for instance `{"psnr": 0.5}` for half a decibel. The table
            must hold one step.
        reach: Dict of names of scores to values that they must reach, for
            instance `{"lpips_alex": 0.2}`.

    Returns:
        `Recommendation`, false where no setting keeps all bounds:
        `model.restore(image, **recommendation.settings)`.

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

    # NaN keeps no bound.
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
    """Turn a score into what is to be small."""
    return (lambda value: -value) if higher_is_better(name) else float
