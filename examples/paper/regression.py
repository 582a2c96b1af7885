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
from keras import ops

from keras_indi.schedules import LinearMixtureTime, TimeDistribution

WITHIN = 0.1  # dB


@keras.saving.register_keras_serializable(package="paper_regression")
class DegradedTime(TimeDistribution):
    """t = 1 alone."""

    def quantile(self, probabilities):
        return ops.ones_like(ops.cast(probabilities, "float32"))

    @property
    def mean(self):
        return 1.0


REGRESSION = Variant(time_distribution=DegradedTime(), methods=(Method(calls=(1,)),))
CONFIGS = super_resolution.scales(
    lambda eps: {
        "regression": REGRESSION,
        "InDI without noise": Variant(),
        "InDI": Variant(noise_schedule=eps),
    },
    at_medium={
        "variants": {
            "regression": REGRESSION,
            "InDI without noise": Variant(),
            "InDI without noise, a = 2": Variant(
                time_distribution=super_resolution.TOWARDS_ONE
            ),
            "InDI without noise, a = 8": Variant(
                time_distribution=LinearMixtureTime(8.0)
            ),
            "InDI": super_resolution.medium_variant(),
        }
    },
)


def claims(config, curves, figure):
    lines = [name for name in config.variants if name.startswith("InDI")]
    found = [one_step_claim(curves, figure, line) for line in lines]
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
    return verdicts.difference_claim(
        curves,
        figure,
        f"One step ({line}) is as good as a regression: at most {WITHIN} dB below.",
        "psnr",
        one,
        regression,
        f"{verdicts.told(one, 'psnr')}; regression {verdicts.told(regression, 'psnr')}",
        WITHIN,
    )


if __name__ == "__main__":
    photographs.main("regression", CONFIGS, claims)
