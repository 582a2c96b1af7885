"""Beyond the paper: the same comparisons after four times the training.

    pip install "keras-indi[tensorflow,data,evaluation]"
    python examples/paper/longer_training.py --data DATA --weights alex=PATH

Where experiments 4, 10 and 11 do not show a claim, or show it of a baseline that has
learned little, the budget may be the cause. 4x super-resolution; four of their models.
"""

import dataclasses

import conditional_ddpm
import photographs
import regression
import super_resolution
import verdicts

TIMES = 4
TRAINED = {
    **regression.VARIANTS,
    "cDDPM cosine": conditional_ddpm.VARIANTS["cDDPM cosine"],
}
CONFIGS = super_resolution.scales(variants=TRAINED)
BUDGET = CONFIGS["small"].budget
CONFIGS["small"] = dataclasses.replace(
    CONFIGS["small"], budget=dataclasses.replace(BUDGET, steps=TIMES * BUDGET.steps)
)


def claims(config, curves, figure):
    found = regression.claims(config, curves, figure)
    for metric in verdicts.perceptual(config):
        text = f"Noise on the path helps a deterministic degradation, in {metric}."
        found.append(
            verdicts.comparison_claim(
                curves, figure, text, "InDI", "InDI without noise", metric
            )
        )
    return found + conditional_ddpm.claims(config, curves, figure)


if __name__ == "__main__":
    photographs.main("longer_training", CONFIGS, claims)
