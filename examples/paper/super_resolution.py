"""Experiment 4: 4x super-resolution, with the ablation of the path's noise.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/super_resolution.py --data DATA --weights alex=PATH

The paper trains on DIV2K. Small: photographs of BSDS500 and the real pairs of City100.
Without noise the restorations are blurry, with noise they are sharper.
"""

import dataclasses

import photographs
import verdicts
from configuration import Config, Variant, paper_budget, smoke

from keras_indi.data.degradations import Downsample

# What the other experiments on this task take: at full scale the paper's example.
NOISE = {"full": 0.01, "small": 0.02}


def variants(noise):
    levels = (0.0, 0.5 * noise, noise, 2 * noise, 5 * noise, 10 * noise)
    return {f"eps {eps:g}": Variant(noise_schedule=eps) for eps in levels}


SMALL = Config(
    variants=variants(NOISE["small"]),
    degradation=Downsample(4),
    train_pairs=("city100/train",),
    held_out={
        "cbsd68": "bsds500/eval_cbsd68",
        "city100": ("city100/eval/degraded", "city100/eval/clean"),
    },
    conventions={"channel": "y", "crop_border": 4},
)
FULL = dataclasses.replace(
    SMALL,
    variants=variants(NOISE["full"]),
    budget=paper_budget("indi_super_resolution_x4"),
    train=("div2k/train",),
    train_pairs=(),
    held_out={"div2k": "div2k/validation"},
    crop=None,
    calls=(1, 2, 4, 8, 16, 32, 64, 128),
)
CONFIGS = {
    "full": FULL,
    "small": SMALL,
    "smoke": smoke(SMALL, ("eps 0", f"eps {NOISE['small']:g}")),
}


def scales(variants, smoke_names=None, **changes):
    """Configurations of another experiment on this task, by scale.

    Args:
        variants: Function of eps that returns the variants.
        smoke_names: As `configuration.smoke` takes them.
        **changes: What else of `Config` differs, at every scale.
    """
    small = dataclasses.replace(
        SMALL,
        variants=variants(NOISE["small"]),
        held_out={"cbsd68": SMALL.held_out["cbsd68"]},
        **changes,
    )
    return {
        "full": dataclasses.replace(FULL, variants=variants(NOISE["full"]), **changes),
        "small": small,
        "smoke": smoke(small, smoke_names),
    }


def claims(config, curves, figure):
    noise = NOISE["full" if config is FULL else "small"]
    with_noise = f"eps {noise:g}"
    found = verdicts.trade_off_claims(config, curves, figure, with_noise)
    for metric in verdicts.perceptual(config):
        best = max(
            config.variants,
            key=lambda name: verdicts.goodness(metric, curves.at_best(metric, name)),
        )
        claim = verdicts.comparison_claim(
            curves,
            figure,
            f"Noise on the path helps a deterministic degradation, in {metric}.",
            with_noise,
            "eps 0",
            metric,
        )
        claim.found += f" Best of all levels: {best}."
        found.append(claim)
    return found


if __name__ == "__main__":
    photographs.main("super_resolution", CONFIGS, claims)
