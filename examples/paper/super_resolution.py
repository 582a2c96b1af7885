"""Experiment 4: 4x super-resolution, with the ablation of the path's noise.

    pip install "keras-indi[tensorflow,data,evaluation]"
    python examples/paper/super_resolution.py --data DATA --weights alex=PATH

The paper trains on DIV2K. Small: photographs of BSDS500 and the real pairs of City100.
Without noise the restorations are blurry, with noise they are sharper.
"""

import photographs
from photographs import Budget, Config, Variant

from keras_indi.data.degradations import Downsample

LEVELS = (0.0, 0.005, 0.01, 0.02, 0.05, 0.1)
VARIANTS = {f"eps {eps:g}": Variant(noise_schedule=eps) for eps in LEVELS}
SMALL = Config(
    variants=VARIANTS,
    budget=Budget(network=photographs.SMALL_NETWORK),
    degradation=Downsample(4),
    train_pairs=("city100/train",),
    held_out={
        "cbsd68": "bsds500/eval_cbsd68",
        "city100": ("city100/eval/degraded", "city100/eval/clean"),
    },
    held_out_crop=256,
    conventions={"channel": "y", "crop_border": 4},
)
CONFIGS = {
    "full": Config(
        variants=VARIANTS,
        budget=photographs.paper_budget("indi_super_resolution_x4"),
        degradation=Downsample(4),
        train=("div2k/train",),
        held_out={"div2k": "div2k/validation"},
        num_steps=(1, 2, 4, 8, 16, 32, 64, 128),
        conventions={"channel": "y", "crop_border": 4},
    ),
    "small": SMALL,
    "smoke": photographs.smoke(SMALL),
}


def claims(config, curves, figure):
    found = photographs.trade_off_claims(config, curves, figure, "eps 0.01")
    for metric in config.metrics:
        if metric == "psnr":
            continue
        best = min(
            (name for name in config.variants if name != "eps 0"),
            key=lambda name: curves.values(
                metric, name, photographs.best_steps(config, curves, metric, name)
            ).mean(),
        )
        text = f"Noise on the path helps a deterministic degradation, in {metric}."
        found.append(
            photographs.comparison_claim(
                config, curves, figure, text, best, "eps 0", metric
            )
        )
    return found


if __name__ == "__main__":
    photographs.main("super_resolution", CONFIGS, claims)
