"""How the shipped presets are made: data, degradation, network, p(t), noise, schedule.

Facts that hold for all: L1 loss, a rate that rises for 300 batches, clipped gradients,
averaged weights, crops flipped and rotated. A long training is cut into parts; each
starts from the averaged weights of the one before.
"""

import dataclasses

from keras_indi.data.degradations import (
    Compose,
    DefocusBlur,
    Degradation,
    Downsample,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
    MotionBlur,
    PoissonGaussianNoise,
    Quantization,
    RandomChoice,
)

# Folders of clean photographs, below the folder of data: with free licences alone,
# and with those for research.
FREE = ("photographs/train", "city100/train/clean")
CLEAN = ("bsds500/train", "city100/train/clean")
# The free ones once more, at other scales and in other colours (drawings.py).
VARIED = (*FREE, "varied/train")
DRAWN = ("drawn/train", "grain/train")
HELD_OUT = ("photographs/validation",)

# Network and optimizer, compared for an hour each (README.md has the figures).
TWO_LEVELS = {
    "base_channels": 64,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 2,
    "patch_size": 2,
    "condition_on_degraded": True,
}
THREE_LEVELS = {
    **TWO_LEVELS,
    "channel_multipliers": (1, 2, 2),
    "blocks_per_level": (1, 2, 2),
}


def jpeg(low, high):
    """JPEG files of these qualities: colours at half or full resolution, any grid."""
    settings = {"quality": (low, high), "random_grid": True}
    return RandomChoice(
        [JPEGCompression(**settings), JPEGCompression(subsampling="4:4:4", **settings)],
        [0.7, 0.3],
    )


def in_a_file(*members):
    """Degradations one after another, then stored in 8 bits."""
    return Compose([*members, Quantization()])


NOTHING = Quantization()
NOISE = RandomChoice(
    [
        GaussianNoise((0, 50)),  # leaves the value range, as in some benchmarks
        in_a_file(GaussianNoise((0, 50))),
        in_a_file(PoissonGaussianNoise((50, 2000), (0, 8))),
    ],
    [0.35, 0.45, 0.2],
)
# What cameras write at low sensitivity: little noise, a little compressed.
MILD_NOISE = RandomChoice(
    [
        NOTHING,
        in_a_file(GaussianNoise((0, 15))),
        Compose([PoissonGaussianNoise((300, 5000), (0, 6)), jpeg(80, 99)]),
    ],
    [0.1, 0.45, 0.45],
)
# Noise that demosaicing, resizing or a camera's noise reduction has spread over
# neighbouring pixels; weaker than this it is the grain of a photograph, which stays.
# And noise without colours, as in photographs without colours.
COARSE = {"sigma": (6, 40), "correlation": (0.3, 1.2)}
DEPENDENT_NOISE = RandomChoice(
    [
        in_a_file(GaussianNoise((0, 50), monochromatic=True)),
        in_a_file(GaussianNoise(**COARSE, monochromatic=True)),
        in_a_file(GaussianNoise(**COARSE)),
        in_a_file(PoissonGaussianNoise((50, 1000), (0, 8), correlation=(0.3, 1.2))),
        in_a_file(PoissonGaussianNoise((50, 2000), (0, 8), monochromatic=True)),
        Compose([GaussianNoise(**COARSE), jpeg(50, 98)]),
        Compose([GaussianNoise((0, 40), monochromatic=True), jpeg(50, 98)]),
    ],
    [0.25, 0.1, 0.2, 0.1, 0.1, 0.15, 0.1],
)
COMPRESSED = jpeg(10, 95)
COMPRESSED_TWICE = Compose([jpeg(30, 95), jpeg(10, 95)])
NOISY_AND_COMPRESSED = Compose([GaussianNoise((0, 30)), jpeg(30, 95)])
BLURRED = RandomChoice(
    [
        in_a_file(GaussianBlur((0.3, 2.5)), GaussianNoise((0, 2))),
        in_a_file(DefocusBlur((0.5, 4)), GaussianNoise((0, 2))),
    ]
)
SMALL = in_a_file(Downsample(4))


def small_copies(stored=None):
    """Small copies, as cameras, websites and photo editors make and store them."""
    return RandomChoice(
        [
            in_a_file(Downsample(4, degradation=stored)),
            in_a_file(Downsample(4, "area", degradation=stored)),
            in_a_file(Downsample(4, "bilinear", degradation=stored)),
            in_a_file(Downsample(4, linear_light=True, degradation=stored)),
            in_a_file(GaussianBlur((0.5, 2.0)), Downsample(4, degradation=stored)),
        ],
        [0.5, 0.15, 0.15, 0.1, 0.1],
    )


SMALL_COPIES = small_copies()
# Most small images are JPEG files.
STORED_COPIES = RandomChoice([SMALL_COPIES, small_copies(jpeg(60, 98))], [0.6, 0.4])


def in_either_light(blur, size):
    """Blur of stored values, as in benchmarks, or of light, as in a camera."""
    return in_a_file(
        RandomChoice([blur(size), blur(size, linear_light=True)]), GaussianNoise((0, 2))
    )


SHAKEN = in_either_light(MotionBlur, (5, 25))
SHAKEN_LITTLE = in_either_light(MotionBlur, (3, 9))
OUT_OF_FOCUS = in_either_light(DefocusBlur, (1, 5))
# One draw an image. They show all that the others start from.
ALL_TASKS = RandomChoice(
    [
        NOTHING,
        NOISE,
        COMPRESSED,
        COMPRESSED_TWICE,
        NOISY_AND_COMPRESSED,
        SMALL,
        BLURRED,
    ],
    [0.04, 0.34, 0.26, 0.06, 0.08, 0.12, 0.1],
)
# Of which a photograph hardly needs to be restored.
MILD = RandomChoice(
    [NOTHING, in_a_file(GaussianNoise((0, 6))), jpeg(70, 98)], [0.35, 0.25, 0.4]
)
# What a photograph of unknown history may have: nothing at all, noise, compression.
BLIND = RandomChoice(
    [NOTHING, NOISE, COMPRESSED, COMPRESSED_TWICE, NOISY_AND_COMPRESSED],
    [0.08, 0.42, 0.3, 0.08, 0.12],
)


@dataclasses.dataclass
class Recipe:
    """What differs between the presets.

    Args:
        task: What it undoes.
        description: One sentence for the card.
        degradation: The degradation of the clean photographs.
        clean: Folders of clean photographs.
        held_out: Folders of clean photographs to validate on.
        pairs: Folders of real pairs to add, each with `degraded` and `clean`.
        repeats: Int, how often a pass goes through the real pairs.
        network: Dict, arguments of `UNetBackbone`.
        noise: Float, eps, for images in [-1, 1].
        mixture: Float, a of p(t), the weight of t = 1 beside uniform times.
        own_states: Float, the share of draws on the network's own states.
        unclipped: Bool, whether degraded images are floats that noise may lead out
            of the value range; else 8 bits.
        seed: Int, of crops and draws.
        crop_size: Int, pixels.
        batch_size: Int.
        batches: Int.
        optimizer: `"adam"` or `"muon"`.
        learning_rate: Float.
        decays: Bool, whether the rate falls to zero along a cosine; else it stays,
            for a part that is not the last.
        starts_from: Name of the recipe whose weights training starts from.
        restore_defaults: Dict, the steps, sampler, grid and time shift that did best
            on the validation photographs (README.md has the figures).
        scale: Int, how many times larger the restored images are.
        jpeg_quality: Pair of ints, the qualities of JPEG files that it is for, beyond
            which `keras-indi restore` says so.
        notes: Further sentences for the card.
    """

    task: str
    description: str
    degradation: Degradation
    clean: tuple = CLEAN
    held_out: tuple = ("bsds500/validation",)
    pairs: tuple = ()
    repeats: int = 1
    network: dict = dataclasses.field(default_factory=lambda: dict(TWO_LEVELS))
    noise: float = 0.2
    mixture: float = 1.0
    own_states: float = 0.0
    unclipped: bool = False
    seed: int = 0
    crop_size: int = 64
    batch_size: int = 16
    batches: int = 10000
    optimizer: str = "adam"
    learning_rate: float = 5e-4
    decays: bool = True
    starts_from: str | None = "ground_jpeg"
    restore_defaults: dict = dataclasses.field(default_factory=lambda: {"num_steps": 1})
    scale: int = 1
    jpeg_quality: tuple = (90, 100)
    notes: tuple = ()


# Compared at equal time: each had one hour of two quiet cores, at a rate that stays.
# Batches: those that fit into the hour, by the processor's time a batch.
ARM = Recipe(
    "many degradations",
    "Removes noise, JPEG artefacts, blur and enlargement.",
    ALL_TASKS,
    clean=FREE,
    held_out=HELD_OUT,
    mixture=2.0,
    unclipped=True,
    decays=False,
    starts_from=None,
)
RELU = {"activation": "relu"}
ARMS = {
    "arm_adam_two_levels": dataclasses.replace(ARM, batches=29000),
    "arm_muon_two_levels": dataclasses.replace(
        ARM, optimizer="muon", learning_rate=1e-3, batches=26000
    ),
    "arm_adam_three_levels": dataclasses.replace(
        ARM, network=THREE_LEVELS, batches=27000
    ),
    "arm_muon_three_levels": dataclasses.replace(
        ARM, network=THREE_LEVELS, optimizer="muon", learning_rate=1e-3, batches=23000
    ),
    "arm_muon_three_levels_relu": dataclasses.replace(
        ARM,
        network={**THREE_LEVELS, **RELU},
        optimizer="muon",
        learning_rate=1e-3,
        batches=28000,
    ),
}

# Trained first, for the others to start from, and not shipped.
GROUND = {
    **ARMS,
    # Goes on with the best arm, whose hour it shares.
    "ground": dataclasses.replace(
        ARMS["arm_muon_three_levels_relu"],
        batches=50000,
        seed=1,
        starts_from="arm_muon_three_levels_relu",
    ),
}
GROUND["ground_blind"] = dataclasses.replace(
    ARMS["arm_muon_three_levels_relu"],
    task="noise and JPEG artefacts",
    description="Removes noise and JPEG artefacts where there are any, and leaves a "
    "clean photograph as it is.",
    degradation=BLIND,
    seed=2,
    batches=12000,
    decays=True,
    starts_from="arm_muon_three_levels_relu",
    jpeg_quality=(10, 100),
)
# It goes on with what the ground did not do well: screens, drawings, and the grain of
# photographs; then noise that is not independent in each pixel and channel.
GROUND["ground_drawings"] = dataclasses.replace(
    GROUND["ground_blind"],
    clean=(*FREE, *DRAWN),
    seed=3,
    starts_from="ground_blind",
)
GROUND["ground_dependent_noise"] = dataclasses.replace(
    GROUND["ground_drawings"],
    degradation=RandomChoice([BLIND, DEPENDENT_NOISE], [0.72, 0.28]),
    clean=(*VARIED, *DRAWN, "grey/train"),
    seed=10,
    batches=8000,
    starts_from="ground_drawings",
)
# Without the degraded image as a second input, as in the paper: many steps then follow
# one path from it, and gain more for less PSNR (README.md has the figures).
UNCONDITIONED = {**THREE_LEVELS, **RELU, "condition_on_degraded": False}
# The specialists, each in two parts: the long one, then its end, on larger crops and
# on the network's own states.
LONG = GROUND["ground_blind"]
# Of what lies far apart in a photograph, stored in 8 bits.
WIDE = dataclasses.replace(
    LONG,
    clean=VARIED,
    unclipped=False,
    crop_size=96,
    batch_size=8,
    jpeg_quality=(90, 100),
)
GROUND |= {
    "ground_denoise": dataclasses.replace(
        LONG,
        task="noise",
        description="Removes camera noise, and Gaussian noise of sigma up to 50.",
        degradation=RandomChoice([NOISE, DEPENDENT_NOISE], [0.65, 0.35]),
        clean=(*VARIED, "grey/train", "bsds500/train"),
        pairs=("polyu100/train",),
        repeats=4,
        seed=11,
        batches=8000,
        starts_from="ground_dependent_noise",
        jpeg_quality=(90, 100),
    ),
    "ground_jpeg": dataclasses.replace(
        LONG,
        task="JPEG artefacts",
        description="Removes the blocks and rings of JPEG files of quality 10 to 95.",
        degradation=RandomChoice([COMPRESSED, COMPRESSED_TWICE], [0.8, 0.2]),
        clean=VARIED,
        seed=5,
        batches=8000,
        starts_from="ground_blind",
        jpeg_quality=(10, 95),
    ),
    "ground_super_resolution": dataclasses.replace(
        WIDE,
        task="4x super-resolution",
        description="Enlarges photographs four times, or sharpens those already "
        "enlarged (bilinear, or by a phone's digital zoom).",
        degradation=SMALL_COPIES,
        pairs=("city100/train",),
        repeats=2,
        scale=4,
        seed=6,
        batches=20000,
    ),
    # The easy part of its task first.
    "ground_little_motion_deblur": dataclasses.replace(
        WIDE,
        task="motion blur",
        description="Reduces the blur of camera shake of 3 to 9 pixels.",
        degradation=SHAKEN_LITTLE,
        seed=9,
        batches=4000,
        decays=False,
    ),
    "ground_motion_deblur": dataclasses.replace(
        WIDE,
        task="motion blur",
        description="Slightly reduces the blur of camera shake of 5 to 25 pixels.",
        degradation=SHAKEN,
        seed=7,
        batches=12000,
        starts_from="ground_little_motion_deblur",
    ),
    "ground_defocus_deblur": dataclasses.replace(
        WIDE,
        task="defocus",
        description="Removes out-of-focus blur with a radius of 1 to 5 pixels.",
        degradation=OUT_OF_FOCUS,
        seed=8,
    ),
}

# Small images that are JPEG files, or of screens. Not shipped (README.md has the
# figures).
GROUND["ground_stored_super_resolution"] = dataclasses.replace(
    GROUND["ground_super_resolution"],
    degradation=STORED_COPIES,
    clean=(*VARIED, "drawn/train"),
    noise=0.05,
    seed=15,
    batches=8000,
    starts_from="ground_super_resolution",
)
GROUND["ground_blind_unconditioned"] = dataclasses.replace(
    GROUND["ground_dependent_noise"],
    network=UNCONDITIONED,
    noise=0.0,
    seed=13,
    batches=6000,
    starts_from="ground_dependent_noise",
)
GROUND["ground_denoise_unconditioned"] = dataclasses.replace(
    GROUND["ground_denoise"],
    network=UNCONDITIONED,
    noise=0.0,  # the path has that of the photograph
    seed=12,
    batches=3000,
    starts_from="ground_denoise",
)


def end_of(name):
    """The last part of a training: larger crops, half of the draws on own states."""
    clean = dict.fromkeys((*GROUND[name].clean, *VARIED))
    return dataclasses.replace(
        GROUND[name],
        clean=tuple(clean),
        own_states=0.5,
        crop_size=128,
        batch_size=4,
        batches=2000,
        learning_rate=2e-4,
        seed=GROUND[name].seed + 100,
        starts_from=name,
    )


RECIPES = {
    # Without this share of drawings, grain and little degradation, the long part made
    # screenshots and JPEG files of high quality worse.
    "indi_small_blind": dataclasses.replace(
        end_of("ground_blind_unconditioned"),
        own_states=0.0,
        degradation=RandomChoice([BLIND, DEPENDENT_NOISE, MILD], [0.5, 0.2, 0.3]),
        clean=(*FREE, *DRAWN),
        batches=3000,
        learning_rate=4e-4,
        restore_defaults={"num_steps": 2, "time_grid": "power"},
    ),
    "indi_small_jpeg": dataclasses.replace(
        end_of("ground_jpeg"),
        restore_defaults={"num_steps": 4, "time_grid": "power"},
    ),
    # With little noise the ground lost what it started with: PolyU fell by 0.7 dB.
    "indi_small_denoise": dataclasses.replace(
        end_of("ground_denoise_unconditioned"),
        own_states=0.0,
        degradation=RandomChoice(
            [NOISE, DEPENDENT_NOISE, MILD_NOISE], [0.35, 0.2, 0.45]
        ),
        repeats=6,
        restore_defaults={"num_steps": 4, "time_grid": "power"},
    ),
    "indi_small_super_resolution_x4": dataclasses.replace(
        end_of("ground_super_resolution"),
        noise=0.05,
        restore_defaults={"num_steps": 8, "time_grid": "power"},
    ),
    "indi_small_defocus_deblur": dataclasses.replace(
        end_of("ground_defocus_deblur"),
        noise=0.05,
        restore_defaults={"num_steps": 8, "time_grid": "power"},
    ),
}
