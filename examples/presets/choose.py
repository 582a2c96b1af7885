"""Choose a trained model's steps, sampler, grid, shift and noise, on validation data.

    python examples/presets/choose.py indi_small_jpeg --data DATA --runs runs \
        --weights alex=lpips_alex_v0.1.npz --noise 0.1

Measures the middles of photographs in the validation folders, degraded as in training,
and prints a table and the choice: the best LPIPS among what costs at most a decibel of
PSNR. The choice goes by hand into `recipes.py`, as `restore_defaults`. A preset that
`runs` does not hold is the shipped one. Interrupt it when you like: it goes on where it
stopped.
"""

import argparse
import dataclasses
import pathlib

import keras
from recipes import RECIPES
from train import training_files

import keras_indi
from keras_indi import data, evaluation
from keras_indi.images.image_files import ImageFiles
from keras_indi.schedules import ConstantNoise, time_grid

FOLDERS = ("photographs/validation", "bsds500/validation")
NUM_STEPS = (1, 2, 4, 8, 16)
SAMPLERS = ("indi",)
GRIDS = ("uniform", "power")
TIME_SHIFTS = (1.0, 1.15, 1.3, 1.5, 1.7)
AT_MOST = {"psnr": 1.0}  # worse than in one step


def choose(name, options):
    weights = dict([options.weights.split("=", 1)])
    recipe = RECIPES[name]
    images = []
    for folder in FOLDERS:
        held_out = dataclasses.replace(recipe, clean=(folder,), pairs=())
        pairs = data.make_pairs(
            ImageFiles(training_files(held_out, options.data)),
            recipe.degradation,
            crop_size=options.crop,
            batch_size=1,
            training=False,
        )
        chosen = range(min(len(pairs), options.images // len(FOLDERS)))
        images += [tuple(image[0] for image in pairs[index]) for index in chosen]
    trained = options.runs / name / "restorer.keras"
    if trained.exists():
        model = keras.saving.load_model(trained, compile=False)
    else:
        model = keras_indi.models.InDI.from_preset(name, dtype="mixed_bfloat16")
    out = options.runs / name / "choice"
    if options.noise is not None:
        model.noise_schedule = ConstantNoise(options.noise)
        out = out.with_name(f"choice_{options.noise:g}")
    table = evaluation.trade_off(
        model,
        images,
        NUM_STEPS,
        SAMPLERS,
        GRIDS,
        TIME_SHIFTS,
        protocol=evaluation.Protocol(("psnr", "ssim", "lpips_alex"), weights=weights),
        output_dir=out,
    )
    print("| grid, shift, steps | PSNR | SSIM | LPIPS |\n|---|---|---|---|")
    for row in table:
        grid = time_grid.get(row["time_grid"])
        print(
            f"| {grid}, {row['time_shift']:g}, {row['num_steps']} "
            f"| {row['psnr']:.2f} | {row['ssim']:.3f} | {row['lpips_alex']:.3f} |"
        )
    print(evaluation.recommend(table, within=AT_MOST))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--weights", required=True, help="alex=PATH")
    parser.add_argument("--images", type=int, default=16)
    parser.add_argument("--crop", type=int, default=192, help="pixels")
    parser.add_argument(
        "--noise",
        type=float,
        help="eps, for images in [-1, 1]; by default that of training",
    )
    options = parser.parse_args()
    for name in options.names:
        choose(name, options)


if __name__ == "__main__":
    main()
