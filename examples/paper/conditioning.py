"""Beyond the paper: the network also sees the degraded image.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/conditioning.py --data DATA --weights alex=PATH

JPEG at quality 15, at the noise of experiment 6 and at that of the shipped presets.
"""

import dataclasses

import jpeg
import photographs
import verdicts
from configuration import Variant, smoke

from keras_indi.schedules import ConstantNoise

PRESETS = 0.2


def variants(levels):
    return {
        f"{name}, eps {eps:g}": Variant(
            noise_schedule=ConstantNoise(eps), condition_on_degraded=conditioned
        )
        for eps in levels
        for name, conditioned in (("x_t", False), ("x_t and y", True))
    }


def scaled(scale):
    levels = jpeg.NOISE[scale], PRESETS
    return dataclasses.replace(jpeg.CONFIGS[scale], variants=variants(levels))


SMALL = scaled("small")
CONFIGS = {
    "full": scaled("full"),
    "small": SMALL,
    "smoke": smoke(SMALL),
}


def claims(config, curves, figure):
    found = []
    levels = dict.fromkeys(v.noise_schedule.eps for v in config.variants.values())
    for eps in levels:
        for metric in config.metrics:
            text = (
                f"Conditioning on the degraded image helps, eps {eps:g}, in {metric}."
            )
            lines = f"x_t and y, eps {eps:g}", f"x_t, eps {eps:g}"
            found.append(
                verdicts.comparison_claim(curves, figure, text, *lines, metric)
            )
    return found


if __name__ == "__main__":
    photographs.main("conditioning", CONFIGS, claims)
