"""Choose a trained model's steps, sampler, grid, shift and noise, on validation data.

    python examples/presets/choose.py indi_small_jpeg --data DATA --runs runs \
        --weights alex=lpips_alex_v0.1.npz --noise 0.05

Measures the middles of the photographs in `bsds500/validation`, degraded as in
training, and prints a table and the choice: the best LPIPS among what costs at most a
decibel of PSNR. The choice goes by hand into `recipes.py`, as `restore_defaults`.
Interrupt it when you like: it goes on where it stopped.
"""

import argparse
import pathlib

import keras
from recipes import RECIPES

from keras_indi import data, evaluation
from keras_indi.schedules import ConstantNoise, PowerGrid, time_grid

NUM_STEPS = (1, 2, 3, 4, 8)
SAMPLERS = ("indi",)
GRIDS = ("uniform", "power", PowerGrid(3), "cosine")
TIME_SHIFTS = (1.0, 1.15, 1.3, 1.5, 1.7)
CROP = 256  # pixels
AT_MOST = {"psnr": 1.0}  # worse than in one step


def choose(name, options):
    weights = dict([options.weights.split("=", 1)])
    pairs = data.pairs_from_folders(
        options.data / "bsds500/validation",
        degradation=RECIPES[name].degradation,
        crop_size=CROP,
        batch_size=1,
        training=False,
    )
    images = [tuple(image[0] for image in pairs[i]) for i in range(len(pairs))]
    model = keras.saving.load_model(
        options.runs / name / "restorer.keras", compile=False
    )
    out = options.runs / name / "choice"
    if options.noise is not None:
        model.noise_schedule = ConstantNoise(options.noise)
        out = out.with_name(f"choice_{options.noise:g}")
    table = evaluation.trade_off(
        model,
        images[: options.images],
        NUM_STEPS,
        SAMPLERS,
        GRIDS,
        TIME_SHIFTS,
        protocol=evaluation.Protocol(("psnr", "ssim", "lpips_alex"), weights=weights),
        out_dir=out,
    )
    for row in table:
        grid = time_grid.get(row["time_grid"])
        print(
            f"| {row['sampler']}, {grid}, {row['time_shift']:g}, {row['num_steps']} "
            f"| {row['psnr']:.2f} | {row['ssim']:.3f} | {row['lpips_alex']:.3f} |"
        )
    print(evaluation.recommend(table, within=AT_MOST))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="NAME")
    parser.add_argument("--data", type=pathlib.Path, required=True)
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    parser.add_argument("--weights", required=True, help="alex=PATH")
    parser.add_argument("--images", type=int, default=8)
    parser.add_argument("--noise", type=float, help="eps; by default that of training")
    options = parser.parse_args()
    for name in options.names:
        choose(name, options)


if __name__ == "__main__":
    main()
