"""Experiment 11: the same network trained for one step only, beside InDI's one step.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/regression.py --data DATA --weights alex=PATH

4x super-resolution. The regression sees t = 1 alone in training, the degraded image.
"""

import keras
import photographs
import super_resolution
import verdicts
from configuration import Method, Variant
from harness import Claim, judged
from keras import ops

from keras_indi.schedules import TimeDistribution

WITHIN = 0.1  # dB


@keras.saving.register_keras_serializable(package="paper_regression")
class DegradedTime(TimeDistribution):
    """t = 1 alone."""

    def quantile(self, probabilities):
        return ops.ones_like(ops.cast(probabilities, "float32"))

    @property
    def mean(self):
        return 1.0


CONFIGS = super_resolution.scales(
    lambda eps: {
        "regression": Variant(
            time_distribution=DegradedTime(), methods=(Method(calls=(1,)),)
        ),
        "InDI without noise": Variant(),
        "InDI": Variant(noise_schedule=eps),
    }
)


def claims(config, curves, figure):
    found = [
        one_step_claim(curves, figure, line) for line in ("InDI without noise", "InDI")
    ]
    for metric in verdicts.perceptual(config):
        text = f"More steps look better than regression, in {metric}."
        found.append(
            verdicts.comparison_claim(
                curves, figure, text, "InDI", "regression", metric
            )
        )
    return found


def one_step_claim(curves, figure, line):
    regression = curves.values("psnr", "regression", 1)
    one = curves.values("psnr", line, 1)
    gap, spread = verdicts.difference("psnr", one + WITHIN, regression)
    return Claim(
        f"One step ({line}) is as good as a regression: at most {WITHIN} dB below.",
        judged(gap > 0, gap, spread),
        f"{verdicts.told(one, 'psnr')}; regression "
        f"{verdicts.told(regression, 'psnr')} (deviation of the difference over "
        f"training seeds {spread:.2g}).",
        figure,
    )


if __name__ == "__main__":
    photographs.main("regression", CONFIGS, claims)
