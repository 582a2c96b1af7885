"""Beyond the paper: a student of one step that keeps the dial.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/student.py --data DATA --weights alex=PATH

A network of experiment 4 restores in eight steps, and a second one learns to do so in
one: see `student_model.py`. The time t that it is asked at is the dial between fidelity
and realism. 4x super-resolution, at two levels of noise.
"""

import dataclasses

import photographs
import super_resolution
import verdicts
from configuration import Budget, Method, Variant
from student_model import STEPS

DIALS = (1.0, 0.5, 0.25, 1 / STEPS)
METHODS = tuple(
    Method(calls=(1,), time_shift=dial, name=f"t = {dial:g}") for dial in DIALS
)


def variants(eps, budget, times="uniform"):
    found = {}
    for level in (eps, 5 * eps):
        teacher = Variant(noise_schedule=level, time_distribution=times)
        found[f"teacher, eps {level:g}"] = teacher
        found[f"student, eps {level:g}"] = Variant(
            noise_schedule=level, teacher=teacher, budget=budget, methods=METHODS
        )
    return found


# Of the teacher's network, which it starts from.
BUDGETS = {
    "full": dataclasses.replace(super_resolution.FULL.budget, steps=50_000),
    "medium": dataclasses.replace(
        super_resolution.MEDIUM.budget,
        steps=2000,
        learning_rate=2e-4,
        decays=True,
        steps_per_epoch=500,
        measured_at=(),
    ),
    "small": Budget(steps=1000, learning_rate=2e-4, warmup=100),
}
CALLS = (1, 2, 4, STEPS, 16)
CONFIGS = super_resolution.scales(
    lambda eps: variants(eps, BUDGETS["small"]),
    at_medium={
        "variants": variants(
            super_resolution.NOISE["medium"],
            BUDGETS["medium"],
            super_resolution.TOWARDS_ONE,
        ),
        "budget": dataclasses.replace(super_resolution.MEDIUM.budget, measured_at=()),
        "calls": CALLS,
    },
    calls=CALLS,
)
CONFIGS["full"] = dataclasses.replace(
    CONFIGS["full"], variants=variants(super_resolution.NOISE["full"], BUDGETS["full"])
)


def claims(config, curves, figure):
    found = []
    names = [name for name in config.variants if name.startswith("student")]
    for name in names:
        teacher = name.replace("student", "teacher")
        lines = [line for line, variant, _ in config.lines() if variant == name]
        for metric in verdicts.perceptual(config):
            best = max(
                lines,
                key=lambda line: verdicts.goodness(
                    metric, curves.values(metric, line, 1)
                ),
            )
            for calls, what in ((1, "one call"), (STEPS, f"{STEPS} calls")):
                if calls in curves.calls(teacher):
                    found.append(
                        one_call_claim(
                            curves, figure, best, teacher, calls, what, metric
                        )
                    )
    return found


def one_call_claim(curves, figure, student, teacher, calls, what, metric):
    first = curves.values(metric, student, 1)
    second = curves.values(metric, teacher, calls)
    name = student.split(",")[1].strip()
    return verdicts.difference_claim(
        curves,
        figure,
        f"One call of the student looks better than {what} of its teacher ({name}), in "
        f"{metric}.",
        metric,
        first,
        second,
        f"{student}: {verdicts.told(first, metric)} in one call; {teacher}: "
        f"{verdicts.told(second, metric)} in {verdicts.counted(calls)}",
    )


if __name__ == "__main__":
    photographs.main("student", CONFIGS, claims)
