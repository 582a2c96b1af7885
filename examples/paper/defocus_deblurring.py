"""Experiment 5: defocus deblurring, without noise on the path.

    pip install "keras-indi[tensorflow,data,evaluation]"
    python examples/paper/defocus_deblurring.py --data DATA --weights alex=PATH

The paper trains on DPDD. Small: disc blur on photographs of BSDS500.
"""

import photographs
from photographs import Budget, Config, Variant

from keras_indi.data.degradations import DefocusBlur

VARIANTS = {"InDI": Variant()}
SMALL = Config(
    variants=VARIANTS,
    budget=Budget(network=photographs.SMALL_NETWORK),
    degradation=DefocusBlur((1, 5)),
    held_out_crop=256,
)
CONFIGS = {
    "full": Config(
        variants=VARIANTS,
        budget=photographs.paper_budget("indi_defocus_deblur"),
        degradation=None,
        train=(),
        train_pairs=("dpdd/train",),
        held_out={"dpdd": ("dpdd/test/degraded", "dpdd/test/clean")},
        num_steps=(1, 2, 4, 8, 10, 16, 32, 64),
    ),
    "small": SMALL,
    "smoke": photographs.smoke(SMALL),
}


def claims(config, curves, figure):
    return photographs.trade_off_claims(config, curves, figure, "InDI")


if __name__ == "__main__":
    photographs.main("defocus_deblurring", CONFIGS, claims)
