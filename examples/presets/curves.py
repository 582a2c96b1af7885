"""Draw how the validation losses of the presets fell over their trainings.

    pip install ".[evaluation]"
    python examples/presets/curves.py indi_small_blind indi_small_denoise

Reads the logs of the trainings and of those that they start from, and writes
`examples/pictures/training.png`: a panel for each degradation, as losses of different
ones do not compare, with the parts of a training one after another.
"""

import argparse
import csv
import math
import pathlib

import matplotlib
from recipes import GROUND, RECIPES
from train import EPOCH

from keras_indi.images.whole_writes import write_encoded

matplotlib.use("Agg")
import matplotlib.pyplot as plt  # noqa: E402

COLUMNS = 4
HERE = pathlib.Path(__file__).parent
ALL = {**GROUND, **RECIPES}


def parts(name):
    """The names of a training's parts, from the first one on."""
    found = []
    while name is not None:
        found.insert(0, name)
        name = ALL[name].starts_from
    return found


def panels_of(presets):
    """Dict of pairs, a task and its degradation, to the names of parts, in order."""
    found = {}
    for preset in presets:
        for name in parts(preset):
            key = ALL[name].task, repr(ALL[name].degradation)
            names = found.setdefault(key, [])
            if name not in names:
                names.append(name)
    return found


def curve(name):
    """The validation losses of a part, one an epoch."""
    with (HERE / "logs" / f"{name}.csv").open() as file:
        return [float(row["val_loss"]) for row in csv.DictReader(file)]


def draw(presets):
    panels = panels_of(presets)
    columns = min(len(panels), COLUMNS)
    rows = math.ceil(len(panels) / columns)
    figure, axes = plt.subplots(
        rows, columns, figsize=(4 * columns, 3.2 * rows), squeeze=False
    )
    for axis in axes.flat[len(panels) :]:
        axis.axis("off")
    for axis, ((task, _), names) in zip(axes.flat, panels.items()):
        start = 0.0
        for name in names:
            losses = curve(name)
            batches = [start + (i + 1) * EPOCH / 1000 for i in range(len(losses))]
            axis.plot(batches, losses, label=name)
            start = batches[-1]
        axis.set(title=task, xlabel="thousand batches", ylabel="validation loss")
        axis.legend(fontsize="small")
        axis.grid(alpha=0.3)
    figure.tight_layout()
    path = HERE.parent / "pictures" / "training.png"
    write_encoded(path, lambda file: figure.savefig(file, format="png", dpi=100))
    return path


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("presets", nargs="+", choices=RECIPES, metavar="PRESET")
    print(draw(parser.parse_args().presets))


if __name__ == "__main__":
    main()
