"""Defaults and arguments of `restore`."""

from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.samplers import Sampler
from keras_indi.schedules import time_grid as time_grids

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer


def checked_defaults(defaults: Any, model: "Restorer") -> dict[str, Any]:
    """Return all defaults of `restore` as objects; raise a ValueError if not valid.

    Args:
        defaults: Dict with any of the keys of the model's `own_restore_defaults`, or
            `None`.
        model: The restorer.
    """
    own = model.own_restore_defaults
    try:
        given = dict(defaults or {})
    except (TypeError, ValueError):
        given = {repr(defaults): None}
    unknown = sorted(str(key) for key in given if key not in own)
    if unknown:
        raise ValueError(
            "`restore_defaults` must be a dict with any of "
            f"{sorted(own)}, or None. Received: "
            f"restore_defaults={defaults!r}"
        )
    sampler, grid = (given.get(name, own[name]) for name in ("sampler", "time_grid"))
    sampler, grid = model.get_sampler(sampler), time_grids.get(grid)
    fixed = getattr(grid, "num_steps", own["num_steps"])
    num_steps = given.get("num_steps", fixed)
    grid(num_steps)  # which checks that they go together
    return {
        "num_steps": int(num_steps),
        "sampler": sampler,
        "time_grid": grid,
        "time_shift": model.get_time_shift(given.get("time_shift", own["time_shift"])),
    }


def chosen(
    model: "Restorer",
    num_steps: int | None,
    sampler: Any,
    time_grid: Any,
    time_shift: float | None,
) -> tuple[Sampler, np.ndarray, float]:
    """Return the sampler, times and time shift from arguments and defaults.

    Args:
        model: The restorer.
        num_steps: As for `Restorer.restore`; so are the others.
    """
    defaults = model.restore_defaults
    if time_shift is None:
        time_shift = defaults["time_shift"]
    sampler = model.get_sampler(defaults["sampler"] if sampler is None else sampler)
    if time_grid is None:
        time_grid = defaults["time_grid"]
        fixed = getattr(time_grid, "num_steps", num_steps)
        if num_steps is not None and num_steps != fixed:
            time_grid = "uniform"
    time_grid = time_grids.get(time_grid)
    if num_steps is None:
        num_steps = getattr(time_grid, "num_steps", defaults["num_steps"])
    return sampler, time_grid(num_steps), model.get_time_shift(time_shift)
