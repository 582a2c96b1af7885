"""Experiment 6: JPEG at quality 15, with the ablation of the path's noise.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/jpeg.py --data DATA --weights alex=PATH

No noise, noise that enters at the start alone (constant eps), and Brownian noise.
"""

import dataclasses

import numpy as np
import photographs
import verdicts
from configuration import Config, Variant, medium, paper_budget, smoke
from harness import Claim, judged
from tools import METHODS

from keras_indi.data.degradations import JPEGCompression
from keras_indi.schedules import BrownianNoise, ConstantNoise, LinearMixtureTime

NOISE = {"full": 0.02, "medium": 0.02, "small": 0.04}


def variants(eps, times="uniform"):
    noises = {
        "no noise": 0.0,
        "constant": ConstantNoise(eps),
        "Brownian": BrownianNoise(eps),
    }
    return {
        name: Variant(noise_schedule=noise, time_distribution=times)
        for name, noise in noises.items()
    }


SMALL = Config(
    variants=variants(NOISE["small"]),
    degradation=JPEGCompression(15),
)
CONFIGS = {
    "full": dataclasses.replace(
        SMALL,
        variants=variants(NOISE["full"]),
        budget=paper_budget("indi_jpeg_q15"),
        train=("div2k/train",),
        held_out={"div2k": "div2k/validation"},
        crop=None,
        calls=(1, 2, 4, 8, 10, 16, 32, 64),
    ),
    "medium": medium(
        SMALL,
        variants=variants(NOISE["medium"], LinearMixtureTime(2.0)),
        tools={"non-local means": METHODS["non-local means"]},
        controlled=("constant",),
    ),
    "small": SMALL,
    "smoke": smoke(SMALL),
}


def claims(config, curves, figure):
    found = verdicts.trade_off_claims(config, curves, figure, "constant")
    for metric in verdicts.perceptual(config):
        for name in ("constant", "Brownian"):
            text = f"{name.capitalize()} noise helps, in {metric}."
            found.append(
                verdicts.comparison_claim(
                    curves, figure, text, name, "no noise", metric
                )
            )
        found.append(alike_claim(curves, figure, metric))
    return found


def alike_claim(curves, figure, metric):
    """The two kinds of noise differ by less than either helps."""
    helped = [
        verdicts.improvement(
            metric, curves.at_best(metric, name), curves.at_best(metric, "no noise")
        )
        for name in ("constant", "Brownian")
    ]
    apart = np.abs(np.subtract(*helped))
    gap, spread = verdicts.mean_and_deviation(np.minimum(*helped) - apart)
    return Claim(
        f"Constant and Brownian noise help alike, in {metric}: they differ by less "
        "than either helps.",
        judged(gap > 0, gap, spread),
        f"Better than without noise by {helped[0].mean():.2g} and "
        f"{helped[1].mean():.2g}, {apart.mean():.2g} apart.",
        figure,
        metric,
        gap,
    )


if __name__ == "__main__":
    photographs.main("jpeg", CONFIGS, claims)
