"""How the shipped presets are made: data, degradation, p(t), noise and schedule.

Facts that hold for all: the network `keras_indi.training.NETWORK`, L1 loss, a rate that
rises for 300 batches to 5e-4 and falls to zero along a cosine, clipped gradients,
averaged weights, crops flipped and rotated.
"""

import dataclasses

from keras_indi.data.degradations import (
    Compose,
    DefocusBlur,
    Degradation,
    Downsample,
    GaussianNoise,
    JPEGCompression,
    MotionBlur,
    RandomChoice,
)

# Folders of clean photographs, below the folder of data.
CLEAN = ("bsds500/train", "city100/train/clean")


JPEG = RandomChoice(
    [JPEGCompression((10, 50)), JPEGCompression((10, 50), "4:4:4")], [0.8, 0.2]
)


@dataclasses.dataclass
class Recipe:
    """What differs between the presets.

    Args:
        task: What it undoes.
        description: One sentence for the card.
        degradation: The degradation of the clean photographs.
        pairs: Folders of real pairs to add, each with `degraded` and `clean`.
        repeats: Int, how often a pass goes through the real pairs.
        noise: Float, eps, as a fraction of the value range.
        mixture: Float, a of p(t), the weight of t = 1 beside uniform times.
        own_states: Float, the share of the model's own states in training.
        seed: Int, of crops and draws.
        crop_size: Int, pixels.
        batch_size: Int.
        batches: Int.
        starts_from: Name of the recipe whose weights training starts from.
        restore_defaults: Dict, the steps, sampler and grid that did best on the
            validation photographs (README.md has the figures).
        notes: Further sentences for the card.
    """

    task: str
    description: str
    degradation: Degradation
    pairs: tuple = ()
    repeats: int = 1
    noise: float = 0.1
    mixture: float = 1.0
    own_states: float = 0.0
    seed: int = 0
    crop_size: int = 64
    batch_size: int = 16
    batches: int = 10000
    starts_from: str | None = "ground_jpeg"
    restore_defaults: dict = dataclasses.field(default_factory=lambda: {"num_steps": 1})
    notes: tuple = ()


# Trained first, for the others to start from, and not shipped.
GROUND = {
    "ground_noise": Recipe(
        "noise",
        "Removes the noise of cameras, and Gaussian noise of sigma 5 to 50.",
        GaussianNoise((5, 50)),
        pairs=("polyu100/train",),
        repeats=2,
        noise=0.0,
        batches=10000,
        starts_from=None,
    ),
    "ground_jpeg": Recipe(
        "JPEG artefacts",
        "Removes the blocks and rings of JPEG files of quality 10 to 50.",
        JPEG,
        batches=5000,
        starts_from="ground_noise",
    ),
    "ground_super_resolution": Recipe(
        "4x super-resolution",
        "Sharpens photographs that were enlarged four times, bilinear.",
        Downsample(4),
        crop_size=96,
        batch_size=8,
        batches=6000,
    ),
}
# It learns what the first one did, with noise on the path.
GROUND["ground_denoise"] = dataclasses.replace(
    GROUND["ground_noise"], noise=0.1, starts_from="ground_jpeg"
)
RECIPES = {
    "indi_small_jpeg": dataclasses.replace(
        GROUND["ground_jpeg"],
        batches=8000,
        starts_from="ground_jpeg",
        restore_defaults={"num_steps": 2, "time_grid": "power"},
    ),
    "indi_small_denoise": dataclasses.replace(
        GROUND["ground_denoise"],
        mixture=2.0,
        seed=1,
        batches=15000,
        starts_from="ground_denoise",
        restore_defaults={"num_steps": 1, "time_grid": "power"},
        notes=(
            "Mild noise, as of cameras in good light, is best removed in one step. "
            "Strong noise looks more natural in two.",
        ),
    ),
    "indi_small_super_resolution_x4": dataclasses.replace(
        GROUND["ground_super_resolution"],
        description="Sharpens photographs that were enlarged four times, bilinear or "
        "by a phone.",
        pairs=("city100/train",),
        repeats=2,
        seed=1,
        batches=8000,
        starts_from="ground_super_resolution",
        restore_defaults={"num_steps": 8, "time_grid": "power"},
    ),
    "indi_small_motion_deblur": Recipe(
        "motion blur",
        "Removes the blur of a camera that shook by 5 to 25 pixels.",
        Compose([MotionBlur((5, 25)), GaussianNoise((0, 2))]),
        crop_size=96,
        batch_size=8,
        batches=4000,
        restore_defaults={"num_steps": 4},
    ),
    "indi_small_defocus_deblur": Recipe(
        "defocus",
        "Removes the blur of a lens out of focus by a radius of 1 to 5 pixels.",
        Compose([DefocusBlur((1, 5)), GaussianNoise((0, 2))]),
        crop_size=96,
        batch_size=8,
        batches=4000,
        restore_defaults={"num_steps": 4, "time_grid": "power"},
    ),
}
