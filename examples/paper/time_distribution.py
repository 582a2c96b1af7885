"""Experiment 9: p(t), the times that are trained on.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/time_distribution.py --data DATA --weights alex=PATH

Uniform; the paper's mixtures of a uniform with a point mass a at t = 1; and power laws
towards t = 1 and away from it. 4x super-resolution.
"""

import photographs
import super_resolution
import verdicts
from configuration import Variant

from keras_indi.schedules import LinearMixtureTime, PowerTime

TOWARDS = {
    **{f"a = {a:g}": LinearMixtureTime(a) for a in (0.5, 1, 2)},
    "p ~ t": PowerTime(1.0),
}
AWAY = {"p ~ t^-0.5": PowerTime(-0.5)}
DISTRIBUTIONS = {"uniform": "uniform", **TOWARDS, **AWAY}
CONFIGS = super_resolution.scales(
    lambda eps: {
        name: Variant(noise_schedule=eps, time_distribution=distribution)
        for name, distribution in DISTRIBUTIONS.items()
    },
    ("uniform", "a = 1", *AWAY),
)


def claims(config, curves, figure):
    found, towards = [], [name for name in TOWARDS if name in config.variants]
    for metric in config.metrics:
        found += [
            verdicts.comparison_claim(
                curves,
                figure,
                f"A bias of p(t) towards t = 1 helps, in {metric} (mean over "
                f"{len(towards)} biases).",
                towards,
                "uniform",
                metric,
            ),
            verdicts.comparison_claim(
                curves,
                figure,
                f"A bias away from t = 1 harms, in {metric}.",
                "uniform",
                list(AWAY),
                metric,
            ),
        ]
    return found


if __name__ == "__main__":
    photographs.main("time_distribution", CONFIGS, claims)
