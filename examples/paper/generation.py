"""Experiment 7: generation from pure noise.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/generation.py --data DATA --weights inception768=PATH

The paper generates faces of CelebA, 64 by 64 pixels. Small: those of UTKFace. The
degraded image tells nothing of the clean one: `y = 1/2 + n / 2` in units of the range
of values, standard normal in that of the network. Here that is a grey image with noise
of constant eps = 1, for files of 8 bits would clip it. Pictures show generated faces
alone.
"""

import keras
import numpy as np
import photographs
import verdicts
from configuration import (
    SMALL_NETWORK,
    Budget,
    Config,
    Method,
    Variant,
    paper_budget,
    smoke,
)
from drawing import restored
from harness import Claim, judged, new_figure, save_figure

from keras_indi import data, evaluation
from keras_indi.data.degradations import Degradation

ALGORITHM_1 = "InDI, Algorithm 1"
SQUARED = "InDI, squared error"
OTHERS = {"naive": "InDI, naive", "Cold Diffusion": "InDI, Cold Diffusion"}


@keras.saving.register_keras_serializable(package="paper_generation")
class Grey(Degradation):
    """Leave nothing of the image."""

    def apply(self, image, generator):
        return np.full_like(image, 0.5)


VARIANTS = {
    "InDI": Variant(
        noise_schedule=1.0,
        methods=(
            Method(name="Algorithm 1"),
            Method(sampler="naive", name="naive"),
            Method(sampler="cold_diffusion", name="Cold Diffusion"),
        ),
    ),
    # Beyond the paper. L1 learns the median of the clean images that x_t may be of;
    # it is their mean that makes the end of the steps a sample (experiment 2).
    SQUARED: Variant(noise_schedule=1.0, loss="mean_squared_error"),
}
SMALL = Config(
    variants=VARIANTS,
    budget=Budget(
        # A level more, which sees whole faces.
        network={**SMALL_NETWORK, "channel_multipliers": (1, 2, 2)},
        steps=6000,
    ),
    degradation=Grey(),
    train=("utkface64/train",),
    augment=False,
    held_out={"faces": "utkface64/heldout"},
    crop=None,
    calls=(1, 4, 16, 64),
    metrics=("fid768", "kid768"),
    conventions={"num_images": 250},
)
CONFIGS = {
    "full": Config(
        variants=VARIANTS,
        budget=paper_budget("indi_celeba_64_generation", crop_size=64),
        degradation=Grey(),
        train=("celeba64/train",),
        augment=False,
        held_out={"faces": "celeba64/test"},
        crop=None,
        calls=(1, 4, 10, 25, 50, 100, 200),
        metrics=("fid768", "kid768"),
    ),
    "small": SMALL,
    "smoke": smoke(SMALL),
}


def real_faces(config, root, protocol):
    """The scores of as many real faces that were trained on: what is to be reached."""
    (folder,), (held_out,) = config.train, config.held_out.values()
    clean = images(root / held_out)[: protocol.num_images]
    real = images(root / folder)[: len(clean)]
    return {"real_faces": evaluation.evaluate(real, clean, protocol).means}


def images(folder):
    found = sorted(data.find_images(folder).items())
    return [data.read_image(path, 3) for _, path in found]


def claims(config, curves, figure):
    found = []
    for metric in config.metrics:
        found.append(generates_claim(curves, figure, metric))
        found.append(verdicts.more_calls_claim(curves, figure, ALGORITHM_1, metric))
        for name, line in OTHERS.items():
            text = f"Algorithm 1 generates better than {name}, in {metric}."
            found.append(
                verdicts.comparison_claim(
                    curves, figure, text, ALGORITHM_1, line, metric
                )
            )
        text = (
            f"Squared error (beyond the paper) generates better than L1, in {metric}."
        )
        found.append(
            verdicts.comparison_claim(
                curves, figure, text, SQUARED, ALGORITHM_1, metric
            )
        )
    return found


def generates_claim(curves, figure, metric):
    """The way from the mean face to real ones is half gone, or more."""
    one = curves.values(metric, ALGORITHM_1, 1)
    best = curves.best(metric, ALGORITHM_1)
    values, real = (
        curves.values(metric, ALGORITHM_1, best),
        curves.extra["real_faces"][metric],
    )
    gap, spread = verdicts.difference(metric, values, (one + real) / 2)
    return Claim(
        f"Pure noise generates: in {metric}, at least half of the way from one call, "
        "the mean of all faces, to real faces.",
        judged(gap > 0, gap, spread),
        f"{one.mean():.4g} in one call, {values.mean():.4g} in {best}; of real faces "
        f"{real:.4g} (deviation over {curves.chance} {spread:.2g}).",
        figure,
        metric,
        gap,
    )


def draw_pictures(config, models, folders, path):
    """Generated faces: a row for each number of calls, then one for each algorithm."""
    size = config.budget.crop_size
    grey = np.full((8, size, size, 3), 128, "uint8")
    first, *others = config.lines()
    most = config.calls[-1]
    rows = [(first, calls) for calls in config.calls]
    rows += [(line, most) for line in others]
    figure, axes = new_figure(len(rows), len(grey), 1.0, 1.1)
    for row, (line, calls) in zip(axes, rows):
        for axis, face in zip(row, restored(config, models, line, calls, grey)):
            axis.imshow(face)
            axis.set_axis_off()
        title = f"{line[2].name or line[0]}, {verdicts.counted(calls)}"
        row[0].set_title(title, fontsize=7, loc="left")
    return save_figure(figure, path)


if __name__ == "__main__":
    photographs.main("generation", CONFIGS, claims, draw_pictures, real_faces)
