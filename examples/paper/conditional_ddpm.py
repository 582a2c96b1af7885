"""Experiment 10: InDI beside the conditional denoising diffusion of the paper.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/conditional_ddpm.py --data DATA --weights alex=PATH

4x super-resolution with the same backbone and budget. The baseline is shown the
degraded image beside the noisy one, is told the continuous noise level, and samples by
ancestral steps or by DDIM, with three schedules of noise.
"""

import photographs
import super_resolution
import verdicts
from configuration import CENTRES, Method, Variant
from harness import Claim, judged

FEWER = 4  # times fewer calls are far fewer
SAMPLERS = {"ancestral": "ancestral", "ddim": "DDIM"}


def baselines(schedules, calls):
    methods = tuple(
        Method(sampler=sampler, calls=calls, name=name)
        for sampler, name in SAMPLERS.items()
    )
    return {
        f"cDDPM {schedule}": Variant(
            restorer="conditional_ddpm", noise_schedule=schedule, methods=methods
        )
        for schedule in schedules
    }


CONFIGS = super_resolution.scales(
    lambda eps: {
        "InDI": Variant(noise_schedule=eps),
        **baselines(("linear", "cosine", "continuous"), (1, 4, 16, 64)),
    },
    ("InDI", "cDDPM cosine"),
    at_medium={
        "variants": {
            "InDI": super_resolution.medium_variant(),
            **baselines(("cosine", "continuous"), (1, 4, 16, 64, 250)),
        },
        "earlier_calls": (1, 4, 16),
        **CENTRES,
    },
)


def claims(config, curves, figure):
    return [
        far_fewer_claim(config, curves, figure, metric) for metric in config.metrics
    ]


def far_fewer_claim(config, curves, figure, metric):
    """In a quarter of the calls of the baseline's best InDI is at least as good."""
    baselines = [line for line, name, _ in config.lines() if name.startswith("cDDPM")]
    baseline = max(
        baselines,
        key=lambda line: verdicts.goodness(metric, curves.at_best(metric, line)),
    )
    calls = curves.best(metric, baseline)
    second = curves.values(metric, baseline, calls)
    at = curves.best(metric, "InDI", max(1, calls // FEWER))
    first = curves.values(metric, "InDI", at)
    gap, spread = verdicts.difference(metric, first, second)
    shows = gap > 0 and at * FEWER <= calls
    return Claim(
        f"InDI needs far fewer calls, a {FEWER}th at most, than the best of the "
        f"conditional DDPM for the same {metric}.",
        judged(shows, gap, spread),
        f"InDI {verdicts.told(first, metric)} in {verdicts.counted(at)}; {baseline}, "
        f"the best of {len(baselines)}, {verdicts.told(second, metric)} in "
        f"{verdicts.counted(calls)} {curves.over(gap, spread)}.",
        figure,
        metric,
        gap,
    )


if __name__ == "__main__":
    photographs.main("conditional_ddpm", CONFIGS, claims)
