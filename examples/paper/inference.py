"""Experiment 8: inference algorithms, at equal calls of the network.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/inference.py --data DATA --weights alex=PATH

Algorithm 1 of the paper, what it compares with (naive and Cold Diffusion), and what is
beyond it: second-order rules and other time grids. 4x super-resolution; all restore
with the same models, those of experiment 4 with its noise.
"""

import dataclasses

import photographs
import super_resolution
import verdicts
from configuration import CENTRES, Method, Variant

from keras_indi.schedules import PowerGrid

# What Heun's method can make, which calls the network 2 N - 1 times.
CALLS = (1, 3, 7, 15, 31)
ALGORITHM_1 = "InDI, Algorithm 1"
RIVALS = ("naive", "Cold Diffusion")
SECOND_ORDER = ("Heun", "multistep")
METHODS = (
    Method(name="Algorithm 1"),
    Method(sampler="naive", name="naive"),
    Method(sampler="cold_diffusion", name="Cold Diffusion"),
    Method(sampler="heun", name="Heun"),
    Method(sampler="multistep", name="multistep"),
    Method(sampler="dpm_solver", name="DPM-Solver"),
    Method(grid=PowerGrid(2.0), name="small last steps"),
    Method(grid=PowerGrid(0.5), name="small first steps"),
    Method(grid="cosine", name="cosine grid"),
)
SHIFT = 1.5
SUFFIX = f", time shift {SHIFT:g}"
EVEN = METHODS[:5]  # on the uniform grid, as the paper's
SHIFTED = tuple(
    dataclasses.replace(method, time_shift=SHIFT, name=f"{method.name}{SUFFIX}")
    for method in EVEN
)
CONFIGS = super_resolution.scales(
    lambda eps: {"InDI": Variant(noise_schedule=eps, methods=METHODS)},
    at_medium={
        "variants": {
            "InDI": super_resolution.medium_variant(methods=(*EVEN, *SHIFTED))
        },
        "calls": CALLS,
        "earlier_calls": CALLS[:3],
        **CENTRES,
    },
    calls=CALLS,
)


def claims(config, curves, figure):
    found = []
    for metric in verdicts.perceptual(config):
        # In one call all are the same.
        most = curves.calls(ALGORITHM_1)[-1]
        best = curves.best(metric, ALGORITHM_1)
        calls = best if best > 1 else most
        for name in RIVALS:
            text = f"Algorithm 1 is better than {name} at equal calls, in {metric}."
            found.append(
                verdicts.comparison_claim(
                    curves, figure, text, ALGORITHM_1, f"InDI, {name}", metric, calls
                )
            )
        for name in SECOND_ORDER:
            text = f"{name} (beyond the paper) is better at equal calls, in {metric}."
            found.append(
                verdicts.comparison_claim(
                    curves, figure, text, f"InDI, {name}", ALGORITHM_1, metric, calls
                )
            )
        for line, _, method in config.lines():
            if method.time_shift != 1:
                plain = line.removesuffix(SUFFIX)
                text = f"A time shift (beyond the paper) helps {plain}, in {metric}."
                found.append(
                    verdicts.comparison_claim(curves, figure, text, line, plain, metric)
                )
    return found


if __name__ == "__main__":
    photographs.main("inference", CONFIGS, claims)
