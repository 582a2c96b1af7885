"""Measure the shipped presets on held-out photographs, beside classical tools.

    pip install ".[tensorflow,evaluation]" bm3d PyWavelets
    python examples/presets/measure.py --data DATA --out measured \
        --weights alex=lpips_alex_v0.1.npz --weights squeeze=lpips_squeeze_v0.1.npz \
        --weights inception768=inception.npz

Of every preset: PSNR, SSIM and LPIPS at 1, 2, 4, 8 and 16 steps, its grid and
its time shift, of the degraded images, and of what a user would otherwise use. Then,
whether the number of steps with the lowest LPIPS is better than one step by more than
chance, than one step with noise of the same energy, and than one step sharpened by the
same energy; what the best LPIPS is within 0.3, 0.6 and 1 dB of one step; and KID-768 on
patches, beside that of clean ones. Interrupt it when you like: it goes on where it
stopped. The tables are written to `measured/results.json` and `measured/results.md`.
"""

import argparse
import json
import pathlib

import numpy as np
from cases import CASES
from classical import METHODS
from patch_distance import PatchDistance
from PIL import Image
from scipy.stats import bootstrap
from score_tables import as_markdown

import keras_indi
from keras_indi import data, evaluation
from keras_indi.evaluation.grain import (
    added_energy,
    finest_band_power,
    sharpened,
    with_noise,
)
from keras_indi.images.channels import to_channels
from keras_indi.images.value_ranges import as_integers
from keras_indi.images.whole_writes import write_text, write_whole
from keras_indi.metrics import InceptionV3Features

NUM_STEPS = (1, 2, 4, 8, 16)
BUDGETS = (0.3, 0.6, 1.0)  # decibels
LPIPS = ("lpips_alex", "lpips_squeeze")


def save(image, path):
    """Write a picture; of floats that 8 bits cannot hold, also their array."""
    if image.dtype != np.uint8:
        write_whole(path.with_suffix(".npy"), lambda to: np.save(to, image))
        image = as_integers(image, "uint8", (0, 255))
    write_whole(path, Image.fromarray(image).save)


def load(path):
    array = path.with_suffix(".npy")
    return np.load(array) if array.exists() else data.read_image(path)


def write_folders(root, case, out):
    """Write what is compared: clean, degraded, and what each tool makes of it.

    The seed of an image's degradation is its number in the order of names.

    Returns:
        List of the images' names.
    """
    files = {}
    degradation, methods = case.degradation, case.tools
    for folder in case.folders:
        clean = root / folder / "clean" if degradation is None else root / folder
        files.update(data.find_images(clean))
    if case.select is not None:
        files = case.select(files)
    for number, (name, path) in enumerate(sorted(files.items())):
        wanted = [
            out / part / f"{name}.png" for part in ("clean", "degraded", *methods)
        ]
        if all(path.exists() for path in wanted):
            continue
        clean = to_channels(data.read_image(path), 3)  # one of set14 is grey
        if degradation is None:
            (folder,) = case.folders
            (partner,) = (root / folder / "degraded").glob(f"{name}.*")
            degraded = data.read_image(partner)
        else:
            height, width = (size // 4 * 4 for size in clean.shape[:2])
            clean = clean[:height, :width]
            degraded = degradation(clean, number)
        for method in methods:
            path = out / method / f"{name}.png"
            if not path.exists():
                save(METHODS[method](degraded, clean, degradation, number), path)
        save(clean, wanted[0])
        save(degraded, wanted[1])
    return sorted(files)


def restore(model, names, num_steps, out):
    """Restore all images into the folder of a number of steps."""
    folder = out / label(num_steps)
    for number, name in enumerate(names):
        path = folder / f"{name}.png"
        if not path.exists():
            degraded = load(out / "degraded" / f"{name}.png")
            restored = model.restore(
                degraded, num_steps, scale=1, seed=number, verbose=0
            )
            save(as_integers(restored, "uint8", (0, 255)), path)


def check_same_model(preset, model, dtype, path):
    """Refuse to go on with what other weights or settings have restored."""
    weights = keras_indi.presets.list_presets()[preset]["weights_sha256"]
    defaults = {name: str(value) for name, value in model.restore_defaults.items()}
    made_by = {"weights": weights, "dtype": dtype, **defaults}
    if path.exists() and json.loads(path.read_text()) != made_by:
        raise ValueError(
            f"{path.parent} holds what other weights or settings have restored: delete "
            "it, and measure again."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps(made_by))


def label(num_steps):
    return "1 step" if num_steps == 1 else f"{num_steps} steps"


def write_adversaries(names, num_steps, out):
    """Add to one step what the better number of steps adds to the squared error.

    Returns:
        List of the two folders' names.
    """
    adversaries = {
        "1 step and noise": with_noise,
        "1 step, sharpened": lambda image, energy, seed: sharpened(image, energy),
    }
    for number, name in enumerate(names):
        clean, one, more = (
            data.read_image(out / part / f"{name}.png")
            for part in ("clean", label(1), label(num_steps))
        )
        energy = added_energy(clean, one, more)
        for adversary, make in adversaries.items():
            path = out / adversary / f"{name}.png"
            if not path.exists():
                save(make(one, energy, number), path)
    return list(adversaries)


def interval(differences):
    """The mean of paired differences, and its 95 % interval by the bootstrap."""
    differences = np.asarray(differences)
    found = bootstrap((differences,), np.mean, rng=np.random.default_rng(0))
    low, high = found.confidence_interval
    return [float(differences.mean()), float(low), float(high)]


def evidence(tables, names, lpips, num_steps, adversaries, out):
    """What speaks for more steps: all that grain would not pass."""

    def scores(system, metric):
        return np.array([row[metric] for row in tables[system]])

    def mean_squared_error(system):
        return np.mean(10 ** (scores(system, "psnr") / -10))

    one, best = label(1), label(num_steps)
    found = {"num_steps": num_steps}
    for system in (one, "degraded", *adversaries):
        found[f"{best} - {system}"] = {
            metric: interval(scores(best, metric) - scores(system, metric))
            for metric in lpips
        }
    steps = [label(number) for number in NUM_STEPS]
    floor = scores(one, "psnr").mean()
    found["frontier"] = {
        str(budget): {
            metric: min(
                (float(scores(system, metric).mean()), system)
                for system in steps
                if scores(system, "psnr").mean() >= floor - budget
            )
            for metric in lpips
        }
        for budget in BUDGETS
    }
    found["finest band"] = {
        system: float(
            np.mean(
                [
                    finest_band_power(data.read_image(out / system / f"{name}.png"))
                    for name in names
                ]
            )
        )
        for system in ("clean", *steps)
    }
    found["squared error to one step's"] = {
        system: float(mean_squared_error(system) / mean_squared_error(one))
        for system in steps
    }
    return found


def measure(name, options, weights):
    """The rows of one case: name of the system to its scores."""
    case = CASES[name]
    out = options.out / name.replace(",", "").replace(" ", "_")
    model = keras_indi.models.InDI.from_preset(case.preset, dtype=options.dtype)
    check_same_model(case.preset, model, options.dtype, out / "made_by.json")
    names = write_folders(options.data, case, out)
    lpips = [metric for metric in LPIPS if metric.removeprefix("lpips_") in weights]
    protocol = evaluation.Protocol(
        ["psnr", "ssim", *lpips],
        weights={key: path for key, path in weights.items() if f"lpips_{key}" in LPIPS},
        **case.conventions,
    )
    for number in NUM_STEPS:
        restore(model, names, number, out)
    tables = {}

    def score(system):
        tables[system] = evaluation.evaluate(
            out / system, out / "clean", protocol, output_dir=out / f"scores {system}"
        )

    for system in ("degraded", *case.tools, *map(label, NUM_STEPS)):
        score(system)
    result = {
        "preset": case.preset,
        "images": len(names),
        "time_grid": repr(model.restore_defaults["time_grid"]),
        "time_shift": model.restore_defaults["time_shift"],
        "degradation": None if case.degradation is None else repr(case.degradation),
        "dtype": options.dtype,
        "protocol": protocol.without_folders(),
    }
    if lpips:
        best = min(NUM_STEPS[1:], key=lambda n: tables[label(n)].means[lpips[0]])
        adversaries = write_adversaries(names, best, out)
        for system in adversaries:
            score(system)
        result["evidence"] = evidence(tables, names, lpips, best, adversaries, out)
    result["rows"] = {system: table.means for system, table in tables.items()}
    if "inception768" in weights:
        extractor = InceptionV3Features(768, weights=weights["inception768"])
        add_patch_distances(result, PatchDistance(extractor, out, names))
    return result


def add_patch_distances(result, distance):
    """Put KID-768 on patches, times 1000, into every row, and clean against clean."""
    if distance.floor is not None:
        result["kid768 of clean patches"] = 1000 * distance.floor
        for system, row in result["rows"].items():
            row["kid768 x1000"] = 1000 * distance(system)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="*", help="presets; all by default")
    parser.add_argument(
        "--case",
        action="append",
        choices=CASES,
        metavar="CASE",
        help="one of the cases of cases.py; all by default",
    )
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument(
        "--weights", action="append", default=[], help="alex=PATH, squeeze=PATH"
    )
    parser.add_argument("--dtype", default="float32")
    options = parser.parse_args()
    weights = dict(entry.split("=", 1) for entry in options.weights)
    path = options.out / "results.json"
    results = json.loads(path.read_text()) if path.exists() else {}
    for name, case in CASES.items():
        if options.names and case.preset not in options.names:
            continue
        if options.case and name not in options.case:
            continue
        results[name] = measure(name, options, weights)
        print(as_markdown({name: results[name]}), flush=True)
        write_text(path, json.dumps(results, indent=2))
        write_text(options.out / "results.md", as_markdown(results))


if __name__ == "__main__":
    main()
