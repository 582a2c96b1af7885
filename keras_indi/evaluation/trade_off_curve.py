"""Perception-distortion curve over the number of steps."""

import pathlib
import warnings
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from keras_indi.annotations import FilePath
from keras_indi.evaluation.named_pairs import as_pairs
from keras_indi.evaluation.plots import draw_trade_off, require_matplotlib
from keras_indi.evaluation.protocol import Protocol
from keras_indi.evaluation.resume import (
    FinishedPairs,
    check_results,
    circumstances,
    claim,
)
from keras_indi.evaluation.scorer import Scorer
from keras_indi.evaluation.scoring import score_pairs
from keras_indi.evaluation.settings import ARGUMENTS, all_settings
from keras_indi.evaluation.table import Table
from keras_indi.images.folder_lock import locked_folder
from keras_indi.images.whole_writes import write_encoded
from keras_indi.inference.progress import Progress
from keras_indi.validation import checked_integer

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer

SETTING = "setting"  # key among the versions in a setting's file
STEPS = (1, 2, 4, 8, 16, 32)


def trade_off(
    model: "Restorer",
    pairs: Any,
    num_steps: Sequence[int] = STEPS,
    samplers: Sequence[Any] = ("indi",),
    time_grids: Sequence[Any] = ("uniform",),
    time_shifts: Sequence[float] = (1.0,),
    seeds: Sequence[int] = (0,),
    protocol: Protocol | None = None,
    output_dir: FilePath | None = None,
    tile_size: int | str | tuple[int, int] | None = "auto",
    batch_size: int | None = None,
    verbose: int | str = "auto",
    warn: bool = True,
    max_pixels: int | None = None,
) -> Table:
    """Score a model at every combination of steps, sampler, grid, shift and seed.

    Args:
        model: A `keras_indi.models.InDI`.
        pairs: (degraded, clean) images, as in `as_pairs`.
        num_steps: Sequence of ints.
        samplers: Sequence of samplers, as for `restore`.
        time_grids: Sequence of time grids, as for `restore`.
        time_shifts: Sequence of floats, as for `restore`.
        seeds: Sequence of ints, the seeds of the noise.
        protocol: A `Protocol`. Defaults to PSNR and SSIM.
        output_dir: Output directory for `trade_off.json`, `trade_off.csv` and the plots
            as PNG (requires matplotlib). Each measured setting is written at once to
            `settings/`, as a table with one row per image, so an interrupted run
            continues where it stopped. Defaults to `None`, no output.
        tile_size: As for `restore`.
        batch_size: As for `restore`.
        verbose: `"auto"` shows a progress bar if the work takes longer than some
            seconds, `1` always, `0` never.
        warn: Bool, whether to warn of images that could not be scored.
        max_pixels: Int, maximum number of pixels of an image in a folder, as for
            `keras_indi.data.read_image`. Larger images cannot be scored. Defaults to
            89 megapixels.

    Returns:
        `Table` with one row per setting: `sampler`, `time_grid`, `time_shift` and
        `num_steps`, as for `restore`; `seed`; `evaluations`, the number of network
        evaluations per image; `images`, the number of scored images; and the scores of
        the protocol.

    Raises:
        ValueError: If an argument is not valid. Also if `output_dir` holds damaged
            results, or results of another model, protocol or other images, or if
            another process uses it.

    Example:

    ```python
    table = trade_off(model, ("degraded", "clean"), num_steps=(1, 4, 16),
                      protocol=Protocol(("psnr", "lpips_alex")), output_dir="curve")
    ```
    """
    protocol = Protocol() if protocol is None else protocol
    settings = all_settings(model, num_steps, samplers, time_grids, time_shifts, seeds)
    channels = getattr(model, "image_channels", None) or 3
    scale = getattr(model, "scale", 1)
    checked_integer("max_pixels", max_pixels, optional=True)
    pairs = as_pairs(pairs, channels, protocol.num_images, scale, max_pixels)
    # Each finished setting records its images.
    limits = {} if max_pixels is None else {"max_pixels": max_pixels}
    finished = {}
    with locked_folder(output_dir, "output_dir"):
        if output_dir is not None:
            require_matplotlib()
            output_dir = pathlib.Path(output_dir)
            check_results(output_dir, ["trade_off.json", "trade_off.csv"])
            claim(
                output_dir / "settings", circumstances(pairs, protocol, model, **limits)
            )
            for name in settings:
                path = output_dir / "settings" / f"{name}.json"
                if path.exists():
                    finished[name] = _finished(path, name, pairs, protocol)

        left = [name for name in settings if name not in finished]
        progress = Progress(len(left) * len(pairs), verbose, unit="image")
        scorer: Any = Scorer(protocol, len(pairs)) if left else None
        for name in left:
            setting = settings[name]
            finished[name] = score_pairs(
                pairs,
                model,
                scorer,
                setting["seed"],
                progress,
                {
                    **{key: setting[key] for key in ARGUMENTS},
                    "tile_size": tile_size,
                    "batch_size": batch_size,
                },
                FinishedPairs(),
            )
            finished[name].check_scored()
            if output_dir is not None:
                finished[name].versions[SETTING] = name
                finished[name].to_json(output_dir / "settings" / f"{name}.json")

        rows = [
            {**setting, "images": len(finished[name]), **(finished[name].means or {})}
            for name, setting in settings.items()
        ]
        tables = [finished[name] for name in settings]
        failures = {f["name"]: f for one in tables for f in one.failures}
        versions = {k: v for k, v in tables[-1].versions.items() if k != SETTING}
        table = Table(rows, protocol, None, list(failures.values()), versions)
        if output_dir is not None:
            table.to_json(output_dir / "trade_off.json")
            table.to_csv(output_dir / "trade_off.csv")
            for name, figure in draw_trade_off(table).items():
                write_encoded(output_dir / f"{name}.png", figure.savefig)
    if table.failures and warn:
        warnings.warn(table.failure_report(), stacklevel=2)
    return table


def _finished(path, name, pairs, protocol):
    """Return the table of a finished setting; raise if it belongs to something else."""
    table = Table.from_json(path)
    names = [row.get("name") for row in (*table.rows, *table.failures)]
    of_this_run = (
        sorted(map(str, names)) == sorted(pairs.names)
        and table.protocol.get_config() == protocol.get_config()
        and (table.means or {}).keys() == {*protocol.columns}
        and table.versions.get(SETTING, name) == name  # not saved by version 0.2
    )
    if not of_this_run:
        raise ValueError(
            "The file holds other images, scores or settings than these; delete it, "
            f"and its setting is measured again. Received: {str(path)!r}"
        )
    return table
