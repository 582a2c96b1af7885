"""Make a trained model a shipped preset, with its card.

    python examples/presets/publish.py indi_small_denoise --runs runs \
        --results measured/results.json

Writes the folder `keras_indi/presets/data/NAME` from `runs/NAME/restorer.keras`, and
the logs of the training, and of those that it starts from, to `examples/presets/logs`.
Run it once before `measure.py`, which loads the preset, and once after, for the scores
on the card.
"""

import argparse
import json
import pathlib
import shutil

import keras
from recipes import GROUND, RECIPES
from train import CLIP_NORM, OPTIMIZERS, WARMUP

from keras_indi.images.whole_writes import write_whole
from keras_indi.presets import PRESETS_FOLDER

LOGS = pathlib.Path(__file__).parent / "logs"
# What people call the data, and its terms, by the folders of the recipes.
DATA = {
    "bsds500/train": (
        "Berkeley segmentation data set (BSDS500)",
        "non-commercial research",
    ),
    "photographs/train": (
        "free photographs of CID22 and CLIC 2025, and wallpapers",
        "CC BY-SA 4.0, CC0 or the Unsplash licence, depending on the file",
    ),
    "city100/train": ("City100, pairs of two zooms of an iPhone X", "MIT"),
    "city100/train/clean": ("City100, photographs by an iPhone X", "MIT"),
    "drawn/train": (
        "screenshots and line art, drawn by a script of this project",
        "CC0",
    ),
    "grain/train": (
        "the free photographs with film grain added",
        "those of the photographs",
    ),
    "varied/train": (
        "the free photographs at other scales and in other colours",
        "those of the photographs",
    ),
    "grey/train": ("the free photographs without colours", "those of the photographs"),
    "polyu100/train": ("PolyU, photographs with real camera noise", "non-commercial"),
}
# Weights that learned from these alone may be used commercially.
FREE_DATA = {
    "photographs/train",
    "city100/train",
    "city100/train/clean",
    "drawn/train",
    "grain/train",
    "varied/train",
    "grey/train",
}


def learned_from(name):
    """The folders that a training, and those that it starts from, have seen."""
    folders = {}
    while name is not None:
        recipe = {**GROUND, **RECIPES}[name]
        folders |= dict.fromkeys((*recipe.clean, *recipe.pairs))
        name = recipe.starts_from
    return list(folders)


def metadata(name, results):
    """What only the maker of a preset can tell."""
    recipe = RECIPES[name]
    folders = learned_from(name)
    own = {case: found for case, found in results.items() if found["preset"] == name}
    scores = [
        {"data": case, "images": found["images"], "system": system, **figures}
        for case, found in own.items()
        for system, figures in found["rows"].items()
    ]
    protocols = {case: found["protocol"] for case, found in own.items()}
    start = f"weights of {recipe.starts_from} (examples/presets/recipes.py)"
    training = {
        "loss": "mean absolute error",
        "optimizer": f"{OPTIMIZERS[recipe.optimizer].__name__}, gradients clipped to "
        f"a norm of {CLIP_NORM:g}",
        "learning_rate": f"linear warm-up to {recipe.learning_rate:g} in {WARMUP} "
        f"batches, then {'cosine decay' if recipe.decays else 'constant'}",
        "start": start,
        "ema": 0.9999,
        "precision": "mixed_bfloat16",
        **{
            key: getattr(recipe, key)
            for key in ("batches", "crop_size", "batch_size", "noise")
        },
    }
    return {
        "description": recipe.description,
        "task": recipe.task,
        "license": "CC-BY-SA-4.0" if set(folders) <= FREE_DATA else "CC-BY-NC-4.0",
        "training_data": [
            dict(zip(("name", "terms"), DATA[folder])) for folder in folders
        ],
        "degradation": recipe.degradation,
        "training": training,
        **(
            {"held_out_scores": {"protocol": protocols, "scores": scores}}
            if scores
            else {}
        ),
        "jpeg_quality": list(recipe.jpeg_quality),
        "notes": list(recipe.notes),
    }


def keep_log(name, runs):
    """Copy the log of a training to those of the shipped presets.

    A part that ran elsewhere, and left a checkpoint, has its log there already.
    """
    log = runs / name / "training.csv"
    if log.exists() or not (LOGS / f"{name}.csv").exists():
        write_whole(LOGS / f"{name}.csv", lambda to: shutil.copyfile(log, to))


def publish(name, runs, results):
    model = keras.saving.load_model(runs / name / "restorer.keras", compile=False)
    model.restore_defaults = RECIPES[name].restore_defaults
    folder = model.save_to_preset(
        PRESETS_FOLDER / name, metadata(name, results), "float16"
    )
    while name is not None:
        keep_log(name, runs)
        name = {**GROUND, **RECIPES}[name].starts_from
    return folder


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--results", type=pathlib.Path, help="of measure.py")
    options = parser.parse_args()
    results = json.loads(options.results.read_text()) if options.results else {}
    for name in options.names:
        print(publish(name, options.runs, results))


if __name__ == "__main__":
    main()
