"""Train a shipped preset again.

    pip install "keras-indi[tensorflow,data]"
    python examples/presets/train.py indi_small_denoise --data DATA --out runs

DATA is a folder of photographs with the folders that `recipes.py` names. Interrupt
it, run the same command, and it goes on at the next batch. What others start from is
trained first. At the end the folder
`runs/NAME` holds the model, `restorer.keras`, and the log, `training.csv`.
"""

import argparse
import pathlib

import keras
from recipes import CLEAN, GROUND, RECIPES

import keras_indi
from keras_indi import data
from keras_indi.data.files import ImageFiles, find_images, match_folders
from keras_indi.files import write_whole
from keras_indi.schedules import LinearMixtureTime
from keras_indi.training import NETWORK

EPOCH = 250  # batches
WARMUP = 300  # batches
LEARNING_RATE = 5e-4
CLIP_NORM = 20.0  # gradients are of 8 to 40; without, 1e-3 led training astray


def training_files(recipe, folder):
    """The files of a recipe: clean photographs, and pairs `(degraded, clean)`."""
    files = {}
    for name in CLEAN:
        found = find_images(folder / name)
        files.update({f"{name}/{inside}": path for inside, path in found.items()})
    for name in recipe.pairs:
        match = match_folders(folder / name / "degraded", folder / name / "clean")
        for repeat in range(recipe.repeats):
            found = match.pairs.items()
            files.update({f"{name}/{inside}/{repeat}": pair for inside, pair in found})
    return files


def build_model(recipe, starts_from):
    """The restorer of a recipe, compiled.

    Args:
        recipe: A `Recipe`.
        starts_from: Path of the model whose weights to start from, or `None`.
    """
    # On CPUs that have it, bfloat16 on TensorFlow trains half as fast again.
    unet = keras_indi.models.UNetBackbone(**NETWORK, dtype="mixed_bfloat16")
    model = keras_indi.models.InDI(
        unet,
        time_distribution=LinearMixtureTime(recipe.mixture, stratified=True),
        noise_schedule=recipe.noise,
        seed=recipe.seed,
        own_states=recipe.own_states,
    )
    if starts_from is not None:
        earlier = keras.saving.load_model(starts_from, compile=False)
        unet.set_weights(earlier.backbone.get_weights())
    rate = keras.optimizers.schedules.CosineDecay(
        0.0, recipe.batches - WARMUP, warmup_target=LEARNING_RATE, warmup_steps=WARMUP
    )
    model.compile(keras_indi.models.AveragedAdam(rate, global_clipnorm=CLIP_NORM))
    return model


def train(name, folder, out):
    """Trains, or goes on training, and saves `out/NAME/restorer.keras`."""
    recipe, run = {**GROUND, **RECIPES}[name], out / name
    path = run / "restorer.keras"
    if path.exists():
        return path
    run.mkdir(parents=True, exist_ok=True)
    starts_from = None
    if recipe.starts_from is not None:
        starts_from = train(recipe.starts_from, folder, out)
    keras.utils.set_random_seed(recipe.seed)
    options = {"crop_size": recipe.crop_size, "batch_size": recipe.batch_size}
    pairs = data.make_pairs(
        ImageFiles(training_files(recipe, folder)),
        recipe.degradation,
        batches_per_epoch=EPOCH,
        seed=recipe.seed,
        **options,
    )
    validation = data.clean_folder(
        folder / "bsds500/validation", recipe.degradation, training=False, **options
    )
    model = build_model(recipe, starts_from)
    backup = keras_indi.callbacks.BackupAndResume(
        run / "backup.weights.h5", pairs, every=EPOCH
    )
    log = keras.callbacks.CSVLogger(str(run / "training.csv"), append=True)
    model.fit(
        pairs,
        validation_data=validation,
        epochs=recipe.batches // EPOCH,
        callbacks=[backup, log],
        verbose=2,
    )
    return write_whole(path, model.save)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    options = parser.parse_args()
    for name in options.names:
        print(train(name, options.data, options.out))


if __name__ == "__main__":
    main()
