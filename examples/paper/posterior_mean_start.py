"""Beyond the paper: start from the posterior mean.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/posterior_mean_start.py --data DATA --weights alex=PATH

Posterior-Mean Rectified Flow (Ohayon, Michaeli & Elad, ICLR 2025, arXiv 2410.00418)
first predicts the posterior mean by a regression, then moves from there to a sample.
Here both are networks of experiment 11: the regression, and InDI that is trained from
the regression's results to the clean images. The first step counts as a call. 4x
super-resolution, at two levels of noise, beside InDI from the degraded image.
"""

import photographs
import regression
import super_resolution
import verdicts
from configuration import Variant

START = {"degraded image": None, "posterior mean": regression.REGRESSION}


def variants(eps, times="uniform"):
    return {
        "regression": regression.REGRESSION,
        **{
            line(start, level): Variant(
                noise_schedule=level, time_distribution=times, first=first
            )
            for level in levels(eps)
            for start, first in START.items()
        },
    }


def levels(eps):
    return eps, 5 * eps


def line(start, eps):
    return f"from the {start}, eps {eps:g}"


CONFIGS = super_resolution.scales(
    variants,
    ("regression", line("posterior mean", 5 * super_resolution.NOISE["small"])),
    at_medium={
        "variants": variants(
            super_resolution.NOISE["medium"], super_resolution.TOWARDS_ONE
        )
    },
)


def claims(config, curves, figure):
    found = []
    starts = [name for name in config.variants if "posterior mean" in name]
    for name in starts:
        for metric in verdicts.perceptual(config):
            text = (
                f"{name[0].upper()}{name[1:]}, more steps look better than regression"
            )
            found.append(
                verdicts.comparison_claim(
                    curves, figure, f"{text}, in {metric}.", name, "regression", metric
                )
            )
            other = name.replace("posterior mean", "degraded image")
            if other in config.variants:
                text = f"{name[0].upper()}{name[1:]}, steps look better than {other}"
                found.append(
                    verdicts.comparison_claim(
                        curves, figure, f"{text}, in {metric}.", name, other, metric
                    )
                )
    return found


if __name__ == "__main__":
    photographs.main("posterior_mean_start", CONFIGS, claims)
