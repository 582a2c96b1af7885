"""Experiment 4: 4x super-resolution, with the ablation of the path's noise.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/super_resolution.py --data DATA --weights alex=PATH

The paper trains on DIV2K. Small: photographs of BSDS500 and the real pairs of City100.
Medium: photographs with free licences. Without noise the restorations are blurry, with
noise they are sharper.
"""

import dataclasses

import photographs
import verdicts
from configuration import Config, Variant, medium, paper_budget, smoke
from tools import METHODS

from keras_indi.data.degradations import Downsample
from keras_indi.schedules import LinearMixtureTime

# What the other experiments on this task take: at full scale the paper's example.
NOISE = {"full": 0.01, "medium": 0.01, "small": 0.02, "smoke": 0.01}
TOWARDS_ONE = LinearMixtureTime(2.0)  # where p(t) is not the question


def variants(noise):
    levels = (0.0, 0.5 * noise, noise, 2 * noise, 5 * noise, 10 * noise)
    return {f"eps {eps:g}": Variant(noise_schedule=eps) for eps in levels}


def medium_variant(eps=NOISE["medium"], **changes):
    return Variant(noise_schedule=eps, time_distribution=TOWARDS_ONE, **changes)


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
MEDIUM = medium(
    SMALL,
    variants={
        f"eps {eps:g}": medium_variant(eps) for eps in (0.0, 0.005, 0.01, 0.02, 0.05)
    },
    tools={name: METHODS[name] for name in ("bicubic", "lanczos")},
    controlled=(f"eps {NOISE['medium']:g}",),
)
CONFIGS = {
    "full": FULL,
    "medium": MEDIUM,
    "small": SMALL,
    "smoke": smoke(MEDIUM, ("eps 0", f"eps {NOISE['smoke']:g}")),
}


def scales(variants, smoke_names=None, at_medium=None, **changes):
    """Configurations of another experiment on this task, by scale.

    Args:
        variants: Function of eps that returns the variants.
        smoke_names: As `configuration.smoke` takes them.
        at_medium: Dict of what differs at the medium scale from that of
            super-resolution; without, there is none.
        **changes: What else of `Config` differs, at every other scale.
    """
    small = dataclasses.replace(
        SMALL,
        variants=variants(NOISE["small"]),
        held_out={"cbsd68": SMALL.held_out["cbsd68"]},
        **changes,
    )
    found = {
        "full": dataclasses.replace(FULL, variants=variants(NOISE["full"]), **changes),
        "small": small,
        "smoke": smoke(small, smoke_names),
    }
    if at_medium is not None:
        unlike = {"tools": {}, "controlled": (), **at_medium}
        found["medium"] = dataclasses.replace(MEDIUM, **unlike)
    return found


def claims(config, curves, figure):
    scale = next(name for name, known in CONFIGS.items() if known is config)
    with_noise = f"eps {NOISE[scale]:g}"
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
