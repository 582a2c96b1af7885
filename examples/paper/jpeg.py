"""Experiment 6: JPEG at quality 15, with the ablation of the path's noise.

    pip install "keras-indi[tensorflow,data,evaluation]"
    python examples/paper/jpeg.py --data DATA --weights alex=PATH

No noise, noise that enters at the start alone (constant eps), and Brownian noise.
"""

import photographs
from photographs import Budget, Config, Variant

from keras_indi.data.degradations import JPEGCompression

VARIANTS = {
    "no noise": Variant(),
    "constant": Variant(noise_schedule=photographs.constant(0.02)),
    "Brownian": Variant(noise_schedule=photographs.brownian(0.02)),
}
SMALL = Config(
    variants=VARIANTS,
    budget=Budget(network=photographs.SMALL_NETWORK),
    degradation=JPEGCompression(15),
    held_out_crop=256,
)
CONFIGS = {
    "full": Config(
        variants=VARIANTS,
        budget=photographs.paper_budget("indi_jpeg_q15"),
        degradation=JPEGCompression(15),
        train=("div2k/train",),
        held_out={"div2k": "div2k/validation"},
        num_steps=(1, 2, 4, 8, 10, 16, 32, 64),
    ),
    "small": SMALL,
    "smoke": photographs.smoke(SMALL),
}


def claims(config, curves, figure):
    found = photographs.trade_off_claims(config, curves, figure, "constant")
    for metric in config.metrics:
        for name in ("constant", "Brownian"):
            if metric != "psnr":
                text = f"{name.capitalize()} noise helps, in {metric}."
                found.append(
                    photographs.comparison_claim(
                        config, curves, figure, text, name, "no noise", metric
                    )
                )
    return found


if __name__ == "__main__":
    photographs.main("jpeg", CONFIGS, claims)
