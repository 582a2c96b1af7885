"""Settings of a restoration, each a dict of sampler, grid, shift, steps and seed."""

import hashlib
import itertools
import json
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import keras
import numpy as np

from keras_indi.configurable import Configurable
from keras_indi.validation import checked_integer, checked_number

if TYPE_CHECKING:
    from keras_indi.evaluation.table import Table
    from keras_indi.models.restorer import Restorer

# The arguments of `restore` in a recommendation.
ARGUMENTS = ("sampler", "time_grid", "time_shift", "num_steps")


def all_settings(
    model: "Restorer",
    num_steps: Sequence[int],
    samplers: Sequence[Any],
    time_grids: Sequence[Any],
    time_shifts: Sequence[float],
    seeds: Sequence[int],
) -> dict[str, dict[str, Any]]:
    """Return every combination of settings, checked before any work starts.

    Args:
        model: A restorer, such as `keras_indi.models.InDI`.
        num_steps: Sequence of ints.
        samplers: Sequence of samplers, as for `restore`.
        time_grids: Sequence of time grids, as for `restore`.
        time_shifts: Sequence of floats, as for `restore`.
        seeds: Sequence of ints.

    Returns:
        Dict from file names without extension to JSON-compatible dicts of `sampler`,
        `time_grid`, `time_shift`, `num_steps`, `seed` and `evaluations`.

    Raises:
        ValueError: If an argument is not valid, or two are not compatible.
    """
    for name, values in {
        "num_steps": num_steps,
        "samplers": samplers,
        "time_grids": time_grids,
        "time_shifts": time_shifts,
        "seeds": seeds,
    }.items():
        if isinstance(values, (str, Mapping)) or not isinstance(values, Iterable):
            raise ValueError(
                f"`{name}` must be a sequence, of one or several. Received: "
                f"{name}={values!r}"
            )
    settings = {}
    for sampler, grid, shift, seed, steps in itertools.product(
        samplers, time_grids, time_shifts, seeds, num_steps
    ):
        evaluations = model.evaluations(steps, sampler, grid, shift)
        setting = {
            "sampler": plain(sampler),
            "time_grid": plain(grid),
            "time_shift": checked_number("time_shift", shift, above=0),
            "num_steps": int(steps),
            "seed": checked_integer("seeds", seed, least=0),
            "evaluations": evaluations,
        }
        settings[_file_name(setting)] = setting
    if not settings:
        raise ValueError(
            "Each part of a setting needs at least one value. Received: "
            f"num_steps={num_steps}, samplers={samplers}, time_grids={time_grids}, "
            f"time_shifts={time_shifts}, seeds={seeds}"
        )
    return settings


def short_name(identifier: Any) -> str:
    """Return a readable name of a sampler or grid: `heun`, `PowerGrid(k=3.0)`."""
    if isinstance(identifier, str):
        return identifier
    if isinstance(identifier, dict):
        return repr(keras.saving.deserialize_keras_object(identifier))
    return str(identifier)


def mean_over_seeds(table: "Table") -> list[tuple[dict[str, Any], dict[str, float]]]:
    """Average the scores of a `trade_off` table over the seeds.

    Returns:
        List of pairs of dicts, in the table's order: the setting (sampler, time grid,
        time shift and steps), and the means of its scores.
    """
    groups = defaultdict(list)
    for row in table:
        row = {"time_shift": 1.0, **row}  # missing from tables of old versions
        groups[json.dumps([row[key] for key in ARGUMENTS])].append(row)
    names = ["evaluations", *table.protocol.columns]
    return [
        (
            {key: rows[0][key] for key in ARGUMENTS},
            {name: float(np.mean([row[name] for row in rows])) for name in names},
        )
        for rows in groups.values()
    ]


def plain(identifier: Any) -> Any:
    """Return a sampler or grid as a JSON-compatible value that `restore` accepts."""
    if isinstance(identifier, Configurable):
        return keras.saving.serialize_keras_object(identifier)
    if isinstance(identifier, (str, dict)):
        return identifier
    return [float(time) for time in identifier]


def _file_name(setting):
    parts = []
    for key in ("sampler", "time_grid"):
        part = re.sub(r"[^\w.=-]+", "_", short_name(setting[key]))
        if not isinstance(setting[key], str):
            content = json.dumps(setting[key], sort_keys=True)
            part = f"{part[:40]}_{hashlib.sha256(content.encode()).hexdigest()[:8]}"
        parts.append(part)
    # None for 1, so that results from before the time shift existed are reused.
    if setting["time_shift"] != 1:
        parts.append(f"shift{setting['time_shift']}")
    return "-".join([*parts, f"{setting['num_steps']}steps", f"seed{setting['seed']}"])
