"""Keep the averaged weights of a training, finished or paused, for the next to start.

    python examples/presets/checkpoint.py arm_adam_two_levels --runs runs

Writes the folder `examples/presets/checkpoints/NAME`, of some megabytes in float16, and
the training's log. `train.py` starts from it where `runs` does not hold the training.
"""

import argparse
import pathlib

import keras
from publish import keep_log
from recipes import GROUND, RECIPES
from train import CHECKPOINTS, build_model


def averaged_model(name, runs):
    """The restorer of a training as it is now, with the averages of its weights."""
    finished = runs / name / "restorer.keras"
    if finished.exists():
        return keras.saving.load_model(finished, compile=False)
    model = build_model({**GROUND, **RECIPES}[name], None)
    model.optimizer.build(model.trainable_variables)
    model.load_weights(runs / name / "backup.weights.h5")
    model.optimizer.finalize_variable_values(model.trainable_variables)
    return model


def keep(name, runs):
    keep_log(name, runs)
    model = averaged_model(name, runs)
    return model.save_to_preset(CHECKPOINTS / name, weights_dtype="float16")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    every = {**GROUND, **RECIPES}
    parser.add_argument("names", nargs="+", choices=every, metavar="NAME")
    parser.add_argument("--runs", type=pathlib.Path, required=True)
    options = parser.parse_args()
    for name in options.names:
        print(keep(name, options.runs))


if __name__ == "__main__":
    main()
