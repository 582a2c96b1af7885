"""Draw the pictures of README and docs: what the shipped presets do.

    pip install ".[tensorflow,quickstart,evaluation]"
    python examples/presets/gallery.py

Writes into `examples/pictures`: `presets.png`, a row for each preset, and
`restored_jpeg.png`, its first row, of photographs that scikit-image carries and no
training has seen; and `trade_off.png`, the scores on a preset's card. All have a white
ground of their own, so that they are read on pages of any colour.
"""

import pathlib

import numpy as np

import keras_indi
from keras_indi.data.degradations import (
    Compose,
    DefocusBlur,
    Downsample,
    GaussianNoise,
    JPEGCompression,
)
from keras_indi.data.sample_photographs import sample_photographs
from keras_indi.evaluation import Protocol, Table
from keras_indi.evaluation.plots import contact_sheet, draw_trade_off
from keras_indi.images.whole_writes import write_encoded, write_whole
from keras_indi.page.preset_choice import shipped_choices
from keras_indi.presets import read_metadata

PICTURES = pathlib.Path(__file__).parents[1] / "pictures"
NUM_STEPS = (1, 4, 16)
LABELS = ("degraded", *(f"{n} step{'s'[: n > 1]}" for n in NUM_STEPS), "clean")
CROP = 128  # pixels
ENLARGED = 2

NOISY_FILE = Compose([GaussianNoise(15), JPEGCompression(50)])
# Preset, degradation, photograph, and the crop's top and left.
ROWS = (
    ("indi_small_jpeg", JPEGCompression(15), "chelsea", 60, 140),
    ("indi_small_blind", NOISY_FILE, "astronaut", 90, 170),
    ("indi_small_denoise", GaussianNoise(25), "coffee", 40, 160),
    ("indi_small_super_resolution_x4", Downsample(4), "astronaut", 90, 170),
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


def trade_off(preset):
    """The plot of a preset's trade-off, of the scores on its card."""
    found = shipped_choices()[preset].trade_off
    images = read_metadata(preset)["held_out_scores"]["scores"][0]["images"]
    setting = {"sampler": "indi", "time_grid": "power", "seed": 0, "images": images}
    rows = [
        {**setting, "num_steps": n, "evaluations": n, "psnr": psnr, "lpips_alex": lpips}
        for n, psnr, lpips in found.points
    ]
    table = Table(rows, Protocol(("psnr", "lpips_alex")))
    return draw_trade_off(table)["psnr_against_lpips_alex"]


def main():
    figure = trade_off(ROWS[0][0])
    print(write_encoded(PICTURES / "trade_off.png", figure.savefig))
    rows = [row(*entry) for entry in ROWS]
    for name, chosen in (("restored_jpeg", rows[:1]), ("presets", rows)):
        picture = contact_sheet(chosen, LABELS)
        print(write_whole(PICTURES / f"{name}.png", picture.save))


if __name__ == "__main__":
    main()
