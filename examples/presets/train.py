"""Train a shipped preset again.

    pip install ".[tensorflow,data]"
    python examples/presets/train.py indi_small_denoise --data DATA --out runs

DATA is a folder of photographs with the folders that `recipes.py` names. Interrupt
it, run the same command, and it goes on at the next batch; `--until BATCHES` ends a
run early, for the same command to go on from there. What others start from is trained
first, unless it lies in `checkpoints`, where `checkpoint.py` puts it. At the end the
folder `runs/NAME` holds the model, `restorer.keras`, and the log, `training.csv`.
"""

import argparse
import dataclasses
import pathlib

import keras
from recipes import GROUND, RECIPES

import keras_indi
from keras_indi import data
from keras_indi.images.image_files import ImageFiles, find_images, match_folders
from keras_indi.models.saving import save_read_back
from keras_indi.schedules import LinearMixtureTime

CHECKPOINTS = pathlib.Path(__file__).parent / "checkpoints"
EPOCH = 500  # batches
VALIDATED = 192  # pixels, the side of the crops
WARMUP = 300  # batches
OPTIMIZERS = {
    "adam": keras_indi.models.AveragedAdam,
    "muon": keras_indi.models.AveragedMuon,
}
CLIP_NORM = 20.0  # gradients are of 8 to 40; without, 1e-3 led training astray


def training_files(recipe, folder):
    """The files of a recipe: clean photographs, and pairs `(degraded, clean)`."""
    files = {}
    for name in recipe.clean:
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
    unet = keras_indi.models.UNetBackbone(**recipe.network, dtype="mixed_bfloat16")
    model = keras_indi.models.InDI(
        unet,
        time_distribution=LinearMixtureTime(recipe.mixture, stratified=True),
        noise_schedule=recipe.noise,
        seed=recipe.seed,
        own_states=recipe.own_states,
        scale=recipe.scale,
    )
    if starts_from is not None:
        earlier = keras_indi.models.load_restorer(str(starts_from)).backbone
        weights = earlier.get_weights()
        if earlier.condition_on_degraded and not unet.condition_on_degraded:
            weights = without_condition(weights, unet.get_weights())
        unet.set_weights(weights)
    peak = recipe.learning_rate
    rate = keras.optimizers.schedules.CosineDecay(
        0.0,
        recipe.batches - WARMUP,
        alpha=0.0 if recipe.decays else 1.0,
        warmup_target=peak,
        warmup_steps=WARMUP,
    )
    model.compile(OPTIMIZERS[recipe.optimizer](rate, global_clipnorm=CLIP_NORM))
    return model


def without_condition(weights, like):
    """The weights of a network that saw the degraded image too, for one that does not.

    In the stem, the kernels of both images are added: at t = 1 they are the same image.

    Args:
        weights: List of the weights of the network with two images.
        like: List of the weights of the network with one.
    """
    converted = []
    for weight, wanted in zip(weights, like, strict=True):
        if weight.shape != wanted.shape:
            height, width, _, filters = wanted.shape
            # Each pixel of a patch has the channels of both images.
            split = weight.reshape(height, width, -1, 2, 3, filters)
            weight = split.sum(axis=3).reshape(wanted.shape)
        converted.append(weight)
    return converted


def find_start(name, folder, out):
    """Path of the model that a recipe starts from, trained first if need be."""
    if not (out / name / "restorer.keras").exists() and (CHECKPOINTS / name).exists():
        return CHECKPOINTS / name
    return train(name, folder, out)


def train(name, folder, out, until=None):
    """Train, or go on training, and save `out/NAME/restorer.keras`.

    Args:
        name: Name of a recipe.
        folder: Path of the folder of data.
        out: Path of the folder of all trainings.
        until: Int, a multiple of `EPOCH`, the batches to end at, if fewer than the
            recipe's. Defaults to all.

    Returns:
        Path of the model; `None` where training ended early.
    """
    recipe, run = {**GROUND, **RECIPES}[name], out / name
    path = run / "restorer.keras"
    if path.exists():
        return path
    run.mkdir(parents=True, exist_ok=True)
    starts_from = None
    if recipe.starts_from is not None:
        starts_from = find_start(recipe.starts_from, folder, out)
    keras.utils.set_random_seed(recipe.seed)
    options = {}
    if recipe.unclipped:
        options = {"dtype": "float32", "value_range": (0, 255)}
    pairs = data.make_pairs(
        ImageFiles(training_files(recipe, folder)),
        recipe.degradation,
        crop_size=recipe.crop_size,
        batch_size=recipe.batch_size,
        batches_per_epoch=EPOCH,
        seed=recipe.seed,
        **options,
    )
    held_out = dataclasses.replace(recipe, clean=recipe.held_out, pairs=())
    validation = data.make_pairs(
        ImageFiles(training_files(held_out, folder)),
        recipe.degradation,
        training=False,
        crop_size=VALIDATED,
        batch_size=4,
        **options,
    )
    model = build_model(recipe, starts_from)
    backup = keras_indi.callbacks.BackupAndResume(
        run / "backup.weights.h5", pairs, every=EPOCH, keep=True
    )
    log = keras_indi.callbacks.EpochLog(run / "training.csv")
    try:
        model.fit(
            pairs,
            validation_data=validation,
            epochs=recipe.batches // EPOCH,
            callbacks=[
                backup,
                keras.callbacks.SwapEMAWeights(),  # validates with the averages
                log,
                Pause((until or recipe.batches) // EPOCH),
            ],
            verbose=2,
        )
    except PausedError:
        return None
    save_read_back(model, path)
    backup.remove()
    return path


class PausedError(Exception):
    """End a fit as an interrupt does, so that its backup stays."""


class Pause(keras.callbacks.Callback):
    """End a fit after so many epochs, once `BackupAndResume` has saved them."""

    def __init__(self, epochs):
        super().__init__()
        self.epochs = epochs

    def on_epoch_begin(self, epoch, logs=None):
        self._epoch = epoch

    def on_train_batch_begin(self, batch, logs=None):
        if self._epoch >= self.epochs:
            raise PausedError


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = {**GROUND, **RECIPES}
    parser.add_argument("names", nargs="+", choices=every, metavar="NAME")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--out", type=pathlib.Path, required=True)
    parser.add_argument("--until", type=int, metavar="BATCHES")
    options = parser.parse_args()
    for name in options.names:
        print(train(name, options.data, options.out, options.until))


if __name__ == "__main__":
    main()
