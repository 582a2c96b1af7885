"""What all experiments of the paper share: scales, results, claims.

An experiment is a script with a function `run(config, folder, options)` and a
configuration for each scale:

* `full`, the paper's: what a machine with accelerators and days would run;
* `small` and `medium`, what was run for README.md, on two CPU cores: minutes and hours
  a model;
* `smoke`, what shows in seconds that everything runs (`KERAS_INDI_SMOKE=1`), offline,
  with data that it makes.

`run` measures, draws its figures into `folder`, and returns a `Findings`. What takes
long, trained models and tables, goes to `options.runs`, or `options.shared` between
experiments, as soon as it is made, and is not made again: interrupted, the same command
goes on where it stopped.
"""

import argparse
import dataclasses
import json
import os
import pathlib
import sys
import time

import keras
import numpy as np

import keras_indi
from keras_indi.images.whole_writes import write_encoded, write_text

HERE = pathlib.Path(__file__).parent
SHOWS = "shows"
DOES_NOT_SHOW = "does not show"
NOT_DECIDABLE = "not decidable at this scale"


@dataclasses.dataclass
class Claim:
    """A claim of the paper, and what was found.

    Args:
        claim: What the paper says, in a sentence.
        verdict: `SHOWS`, `DOES_NOT_SHOW` or `NOT_DECIDABLE`.
        found: The scores that the verdict rests on, in a sentence.
        figure: File name of the picture, or `None`.
        metric: Name of the metric that the verdict rests on, or `None`.
        gap: Float, the difference in it that the verdict rests on, positive if as
            claimed; or `None`.
        over_training: Dict of numbers of training steps to what `gap` was after them.
    """

    claim: str
    verdict: str
    found: str
    figure: str | None = None
    metric: str | None = None
    gap: float | None = None
    over_training: dict = dataclasses.field(default_factory=dict)


@dataclasses.dataclass
class Findings:
    """What an experiment returns.

    Args:
        protocol: Dict of what was measured and how, seeds included.
        measured: Dict of scores.
        claims: List of `Claim`.
    """

    protocol: dict
    measured: dict
    claims: list


def judged(shows, gap=None, spread=None):
    """A verdict.

    Args:
        shows: Bool, whether the scores' order is the claimed one.
        gap: Float, the difference that the claim rests on.
        spread: Float, by how much it varies between training seeds or, of one
            training, between photographs. A difference of at most twice as much
            decides nothing.
    """
    if gap is not None and spread is not None and abs(gap) <= 2 * spread:
        return NOT_DECIDABLE
    return SHOWS if shows else DOES_NOT_SHOW


def main(name, run, configs):
    """Run an experiment from the command line.

    Args:
        name: The experiment's name, of its script.
        run: Function of `(config, folder, options)` that returns `Findings`.
        configs: Dict of `"full"`, `"small"`, `"smoke"` and, of some, `"medium"` to
            dataclasses.
    """
    parser = argparse.ArgumentParser(description=f"The paper's experiment: {name}.")
    parser.add_argument(
        "--scale",
        choices=sorted(configs),
        default="small",
        help="small: minutes a model; medium: an hour a model, of some experiments; "
        "full: the paper's; smoke: seconds, to see that the script runs (default: "
        "small)",
    )
    parser.add_argument(
        "--data",
        type=pathlib.Path,
        help="folder of photographs, whose folders README.md lists",
    )
    parser.add_argument(
        "--weights",
        action="append",
        default=[],
        metavar="NAME=PATH",
        help="weights of a metric, such as alex=PATH (default: downloaded)",
    )
    parser.add_argument(
        "--runs",
        type=pathlib.Path,
        default=pathlib.Path("runs/paper"),
        help="folder of trained models and tables (default: runs/paper)",
    )
    parser.add_argument(
        "--results",
        type=pathlib.Path,
        default=HERE / "results",
        help="folder of scores and figures (default: results beside the script, which "
        "are README.md's; of a smoke run, results in --runs)",
    )
    options = parser.parse_args()
    if os.environ.get("KERAS_INDI_SMOKE"):
        options.scale = "smoke"
    if options.scale == "smoke" and options.results == HERE / "results":
        options.results = options.runs / "results"
    options.weights = dict(pair.split("=", 1) for pair in options.weights)
    options.shared = options.runs / options.scale  # between experiments
    options.runs = options.shared / name
    options.runs.mkdir(parents=True, exist_ok=True)
    folder = options.results / name
    folder.mkdir(parents=True, exist_ok=True)
    config, start = configs[options.scale], time.time()
    findings = run(config, folder, options)
    content = {
        "experiment": name,
        "scale": options.scale,
        "config": plain(dataclasses.asdict(config)),
        "protocol": plain(findings.protocol),
        "measured": plain(findings.measured),
        "claims": [dataclasses.asdict(claim) for claim in findings.claims],
        "versions": {
            "python": sys.version.split()[0],
            "keras": keras.version(),
            "backend": keras.config.backend(),
            "keras_indi": keras_indi.__version__,
        },
        "seconds_of_last_run": round(time.time() - start, 1),
    }
    write_text(folder / "results.json", json.dumps(content, indent=2) + "\n")
    for claim in findings.claims:
        print(f"{claim.verdict}: {claim.claim}\n    {claim.found}")
    print(folder / "results.json")
    if options.scale == "smoke":
        print("A smoke run: it shows that the script runs. Its verdicts mean nothing.")


def plain(value):
    """What JSON can hold of scores, arrays and configured objects."""
    if isinstance(value, dict):
        return {str(key): plain(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(entry) for entry in value]
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (np.floating, np.integer)):
        value = value.item()
    if isinstance(value, float):
        return float(f"{value:.6g}")
    return value if isinstance(value, (str, int, bool, type(None))) else repr(value)


def new_figure(rows, columns, width=3.2, height=3.2):
    """A matplotlib figure and its axes, in a list of rows."""
    from matplotlib.figure import Figure

    figure = Figure((columns * width, rows * height), layout="constrained", dpi=130)
    axes = figure.subplots(rows, columns, squeeze=False)
    for one in axes.flat:
        one.tick_params(labelsize=8)
    return figure, axes


def save_figure(figure, path):
    write_encoded(path, figure.savefig)
    return path.name
