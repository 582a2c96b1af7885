"""Write the architecture presets: networks for the paper's tasks, without weights.

    python examples/presets/architectures.py keras_indi/presets/data

The paper (arXiv 2303.11435) states the loss, the optimizer, its rate, the average, the
steps, and which tasks carry noise. The sizes of the networks, of crops and of batches,
the amount of noise and the steps of `restore` are ours, chosen by the task: they have
not been trained to the end.
"""

import argparse
import pathlib

import keras_indi
from keras_indi.data import degradations

# What the paper states of all its experiments.
TRAINING = {
    "loss": "mean_absolute_error",
    "optimizer": "Adam",
    "learning_rate": 1e-4,
    "learning_rate_schedule": "fixed",
    "ema": 0.9999,
    "steps": 500_000,
}
NOTES = [
    "An architecture for one of the paper's tasks (arXiv 2303.11435), without weights. "
    "From the paper are the loss, the optimizer with its fixed rate, the moving "
    "average, the number of steps, and whether the path carries noise. The size of the "
    "network, of crops and of batches, how much noise, and the steps to restore in are "
    "ours, by the capacity that the task takes; they have not been tuned by training "
    "to the end."
]
GOPRO = "pairs of GoPro: averages of successive frames of a 240 Hz camera"
DPDD = "pairs of DPDD: one scene at a wide and at a narrow aperture"

# Of each: the network, the restorer, and what it is for.
ARCHITECTURES = {
    "indi_motion_deblur": {
        # Camera shake of tens of pixels: four levels see 315 pixels.
        "unet": {"base_channels": 64, "channel_multipliers": (1, 2, 3, 4)},
        "restorer": {"noise_schedule": 0.0, "restore_defaults": {"num_steps": 10}},
        "task": "motion blur",
        "degradation": GOPRO,
        "data": "GoPro, `keras_indi.data.load_tfds('gopro/blur')`",
        "crop_size": 256,
        "batch_size": 32,
    },
    "indi_defocus_deblur": {
        "unet": {"base_channels": 64, "channel_multipliers": (1, 2, 3, 4)},
        "restorer": {"noise_schedule": 0.0, "restore_defaults": {"num_steps": 10}},
        "task": "defocus blur",
        "degradation": DPDD,
        "data": "DPDD, `keras_indi.data.load_tfds('dpdd')`",
        "crop_size": 256,
        "batch_size": 32,
    },
    "indi_super_resolution_x4": {
        # Three quarters of the pixels are to be invented: more channels and blocks.
        "unet": {
            "base_channels": 96,
            "channel_multipliers": (1, 2, 3, 4),
            "blocks_per_level": 3,
        },
        "restorer": {
            "noise_schedule": 0.01,
            "restore_defaults": {"num_steps": 50},
            "scale": 4,
        },
        "task": "super-resolution, 4 times in height and width",
        "degradation": degradations.Downsample(4),
        "data": "clean photographs, shrunk to 64 by 64 pixels; the network's input is "
        "that image, enlarged bilinearly to 256 by 256",
        "crop_size": 256,
        "batch_size": 32,
    },
    "indi_jpeg_q15": {
        # Blocks of 16 pixels: three levels, which see 147 pixels, are enough.
        "unet": {"base_channels": 64, "channel_multipliers": (1, 2, 3)},
        "restorer": {"noise_schedule": 0.01, "restore_defaults": {"num_steps": 10}},
        "task": "JPEG artefacts",
        "degradation": degradations.JPEGCompression(15),
        "data": "clean photographs",
        "crop_size": 256,
        "batch_size": 32,
    },
    "indi_celeba_64_generation": {
        # Everything is to be invented, in images of 64 pixels: wide, and down to 8.
        "unet": {
            "base_channels": 128,
            "channel_multipliers": (1, 2, 2, 4),
            "blocks_per_level": 3,
        },
        "restorer": {"noise_schedule": 0.0, "restore_defaults": {"num_steps": 100}},
        "task": "generation of faces from noise, 64 by 64 pixels",
        "degradation": degradations.PureNoise(),
        # Floats, for half of the noise is outside of what 8 bits hold.
        "data": "CelebA, `keras_indi.data.load_tfds('celeb_a', "
        "degradation=PureNoise(), dtype='float32', value_range=(0, 255))`",
        "crop_size": 64,
        "batch_size": 128,
    },
}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    out = parser.parse_args().out
    for name, entry in ARCHITECTURES.items():
        unet = keras_indi.models.UNetBackbone(**entry["unet"], name="unet")
        model = keras_indi.models.InDI(
            unet, time_distribution="uniform", name=name, **entry["restorer"]
        )
        keys = "data", "crop_size", "batch_size"
        metadata = {
            "description": f"InDI for the paper's task: {entry['task']}.",
            "notes": NOTES,
            "task": entry["task"],
            "degradation": entry["degradation"],
            "training": {**TRAINING, **{key: entry[key] for key in keys}},
        }
        model.save_to_preset(out / name, metadata, save_weights=False)
        print(f"{name}: {unet.count_params():,} parameters")


if __name__ == "__main__":
    main()
