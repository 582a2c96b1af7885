"""Writes the numbers that every backend must reproduce: `python make_golden.py`.

Run it after a deliberate change of the network's or a sampler's numbers, and say
so in the change. `tests/models/test_golden.py` compares with the file.
"""

import pathlib
import sys

import numpy as np

sys.path.insert(0, str(pathlib.Path(__file__).parents[1]))

from helpers import apply, smooth_images, tiny_unet  # noqa: E402

from keras_indi.models import InDI  # noqa: E402
from keras_indi.samplers import BUILTIN  # noqa: E402
from keras_indi.schedules import BrownianNoise  # noqa: E402

PATH = pathlib.Path(__file__).with_name("golden.npz")
TIMES = np.array([0.0, 0.02, 0.5, 0.731, 1.0], "float32")
NOISES = {"still": 0.0, "constant": 0.1, "brownian": BrownianNoise(0.02)}
# Samplers that follow a path of varying eps.
ANY_NOISE = ("indi", "naive")


def network():
    """The U-Net, its weights drawn by NumPy."""
    return tiny_unet(seed=20, gain=0.8, condition_on_degraded=True)


def example():
    """A uint8 image of odd size."""
    return smooth_images(1, 7, 9, seed=21)[0].astype("uint8")


def estimates(image):
    """F at several t, of the image flipped and dimmed, given the image."""
    unit = image[None, :6, :8].astype("float32") / 127.5 - 1
    degraded = np.repeat(unit, len(TIMES), axis=0)
    inputs = {"images": 0.7 * degraded[:, ::-1], "times": TIMES, "degraded": degraded}
    return apply(network(), inputs)


def restorations(image):
    """All samplers' results in the range (0, 1), not clipped, by name."""
    results = {}
    for noise, schedule in NOISES.items():
        model = InDI(network(), noise_schedule=schedule, value_range=(0, 1))
        for sampler in BUILTIN:
            if noise == "brownian" and sampler not in ANY_NOISE:
                continue
            states = model.restore(
                (image / 255).astype("float32"),
                num_steps=4,
                sampler=sampler,
                time_grid="power",
                num_samples=2,
                seed=22,
                return_trajectory=True,
            )
            results[f"{sampler}_{noise}"] = states[[2, 4]]
    return results


if __name__ == "__main__":
    picture = example()
    np.savez_compressed(
        PATH, image=picture, estimates=estimates(picture), **restorations(picture)
    )
    print(f"{PATH}: {PATH.stat().st_size} bytes")
