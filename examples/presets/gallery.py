"""Draw what the shipped presets do to photographs that scikit-image carries.

    pip install ".[tensorflow,quickstart]"
    python examples/presets/gallery.py

Writes `examples/pictures/presets.png`, a row for each preset, and
`examples/pictures/restored_jpeg.png`, the first picture of the project's README. No
photograph among them was seen in training.
"""

import pathlib

import numpy as np

import keras_indi
from keras_indi.data.degradations import (
    DefocusBlur,
    Downsample,
    GaussianNoise,
    JPEGCompression,
    MotionBlur,
)
from keras_indi.data.sample_photographs import sample_photographs
from keras_indi.evaluation.plots import contact_sheet
from keras_indi.images.whole_writes import write_whole

PICTURES = pathlib.Path(__file__).parents[1] / "pictures"
NUM_STEPS = (1, 4, 16)
LABELS = ("degraded", *(f"{n} step{'s'[: n > 1]}" for n in NUM_STEPS), "clean")
CROP = 128  # pixels
ENLARGED = 2

# Preset, degradation, photograph, and the crop's top and left.
ROWS = (
    ("indi_small_jpeg", JPEGCompression(15), "chelsea", 60, 140),
    ("indi_small_denoise", GaussianNoise(25), "coffee", 40, 160),
    ("indi_small_super_resolution_x4", Downsample(4), "astronaut", 90, 170),
    ("indi_small_motion_deblur", MotionBlur(15), "coffee", 230, 250),
    ("indi_small_defocus_deblur", DefocusBlur(3), "chelsea", 150, 220),
)


def row(preset, degradation, name, top, left):
    """One photograph's crop: degraded, restored in more and more steps, clean."""
    model = keras_indi.models.InDI.from_preset(preset)
    (clean,) = sample_photographs([name])
    degraded = degradation(clean, seed=0)
    restored = [
        model.restore(degraded, steps, scale=1, seed=0, verbose=0)
        for steps in NUM_STEPS
    ]
    images = [degraded, *restored, clean]
    return [enlarged(image[top : top + CROP, left : left + CROP]) for image in images]


def enlarged(image):
    return np.repeat(np.repeat(image, ENLARGED, axis=0), ENLARGED, axis=1)


def main():
    rows = [row(*entry) for entry in ROWS]
    for name, chosen in (("restored_jpeg", rows[:1]), ("presets", rows)):
        picture = contact_sheet(chosen, LABELS)
        print(write_whole(PICTURES / f"{name}.png", picture.save))


if __name__ == "__main__":
    main()
