"""Experiment 3: motion deblurring, scores against the number of steps.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/motion_deblurring.py --data DATA --weights alex=PATH

The paper trains on GoPro, without noise. Small: synthetic camera shake on photographs
of BSDS500; measured on held-out ones, shown on photographs of GoPro and Levin's too.
"""

import deblurring
import photographs
from configuration import Config, smoke

from keras_indi.data.degradations import MotionBlur


def levin32(root):
    """Pairs of paths of Levin's photographs of real camera shake."""
    folder = root / "levin32"
    return {
        path.stem: (path, folder / "sharp" / f"{path.stem.split('_')[0]}.png")
        for path in (folder / "blurry").iterdir()
    }


SMALL = Config(
    variants=deblurring.VARIANTS,
    degradation=MotionBlur((5, 25)),
    shown={
        "gopro8": ("gopro8/degraded", "gopro8/clean"),
        "levin32": levin32,
    },
    # Some 136 crops: for KID, of which few images say little.
    crop=224,
    tiles=True,
    metrics=("psnr", "lpips_alex", "fid768", "kid768"),
)
CONFIGS = {
    "full": deblurring.full("indi_motion_deblur", "gopro"),
    "small": SMALL,
    "smoke": smoke(SMALL),
}

if __name__ == "__main__":
    photographs.main("motion_deblurring", CONFIGS, deblurring.claims)
