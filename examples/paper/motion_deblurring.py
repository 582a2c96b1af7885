"""Experiment 3: motion deblurring, figures against the number of steps.

    pip install "keras-indi[tensorflow,data,evaluation]"
    python examples/paper/motion_deblurring.py --data DATA --weights alex=PATH

The paper trains on GoPro, without noise. Small: synthetic camera shake on photographs
of BSDS500; measured on held-out ones, and on eight photographs of GoPro and Levin's 32.
"""

import photographs
from photographs import Budget, Config, Variant

from keras_indi.data.degradations import MotionBlur

VARIANTS = {"InDI": Variant()}
SMALL = Config(
    variants=VARIANTS,
    budget=Budget(network=photographs.SMALL_NETWORK),
    degradation=MotionBlur((5, 25)),
    held_out={
        "cbsd68": "bsds500/eval_cbsd68",
        "gopro8": ("gopro8/degraded", "gopro8/clean"),
    },
    held_out_crop=256,
)
CONFIGS = {
    "full": Config(
        variants=VARIANTS,
        budget=photographs.paper_budget("indi_motion_deblur"),
        degradation=None,
        train=(),
        train_pairs=("gopro/train",),
        held_out={"gopro": ("gopro/test/degraded", "gopro/test/clean")},
        num_steps=(1, 2, 4, 8, 10, 16, 32, 64),
    ),
    "small": SMALL,
    "smoke": photographs.smoke(SMALL),
}


def claims(config, curves, figure):
    return photographs.trade_off_claims(config, curves, figure, "InDI")


if __name__ == "__main__":
    photographs.main("motion_deblurring", CONFIGS, claims)
