"""Beyond the paper: a milder degradation than that of the training.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/start_time.py --data DATA --weights alex=PATH

A network that is trained on noise of sigma 50, without further noise on the path,
has learned its path from t = 1 to 0. An image with noise of sigma 25 lies on that path,
at t = 0.5: restoration can start there. An update depends on the ratio of its two times
alone, so starting at t = s is the time shift s of `restore`. It is compared with the
start at t = 1, with a network that is trained on the milder noise, and with one that is
trained on noise of every strength; and with wrong starts, 20 % away.
"""

import dataclasses

import photographs
import verdicts
from configuration import Config, Method, Variant, medium, paper_budget, smoke

from keras_indi.data.degradations import GaussianNoise
from keras_indi.schedules import LinearMixtureTime

STRONG = 50
MILD = (25, 15)
PHOTOGRAPHS = "bsds500/eval_cbsd68"
WITHIN = 0.1  # dB


def start_name(start):
    return f"from t = {start:g}"


STARTS = sorted({sigma / STRONG * wrong for sigma in MILD for wrong in (0.8, 1, 1.2)})
METHODS = (
    Method(name="from t = 1"),
    *(Method(time_shift=start, name=start_name(start)) for start in STARTS),
)


def variants(times="uniform"):
    trained_on = {f"sigma {sigma}": sigma for sigma in MILD}
    found = {f"sigma {STRONG}": Variant(time_distribution=times, methods=METHODS)}
    for name, sigma in {**trained_on, f"sigma 0 to {STRONG}": (0, STRONG)}.items():
        found[name] = Variant(degradation=GaussianNoise(sigma), time_distribution=times)
    return found


def held_out(folder):
    return {f"sigma {sigma}": (folder, GaussianNoise(sigma)) for sigma in MILD}


SMALL = Config(
    variants=variants(),
    degradation=GaussianNoise(STRONG),
    held_out=held_out(PHOTOGRAPHS),
)
CONFIGS = {
    "full": dataclasses.replace(
        SMALL,
        budget=paper_budget("indi_jpeg_q15"),
        train=("div2k/train",),
        held_out=held_out("div2k/validation"),
        crop=None,
    ),
    "medium": medium(
        SMALL,
        variants=variants(LinearMixtureTime(2.0)),
        held_out=held_out(PHOTOGRAPHS),
        calls=(1, 2, 4, 8, 16),
    ),
    "small": SMALL,
    "smoke": dataclasses.replace(smoke(SMALL), held_out=held_out("smoke")),
}


def claims(config, curves, figure):
    rivals = {
        f"sigma {STRONG}, from t = 1": ("better than the start at 1", 0.0),
        "sigma {sigma}": (f"at most {WITHIN} dB below own training", WITHIN),
        f"sigma 0 to {STRONG}": ("better than training on all strengths", 0.0),
    }
    found = []
    for sigma in MILD:
        start = sigma / STRONG
        lines = f"sigma {STRONG}, {start_name(start)}", *rivals
        first, *others = (
            curves.values("psnr", line.format(sigma=sigma), 1, f"sigma {sigma}")
            for line in lines
        )
        for second, (better, within) in zip(others, rivals.values()):
            text = f"A start at t = {start:g} for sigma {sigma} is {better}."
            scores = " against ".join(verdicts.told(v, "psnr") for v in (first, second))
            found.append(
                verdicts.difference_claim(
                    curves, figure, text, "psnr", first, second, scores, within
                )
            )
    return found


if __name__ == "__main__":
    photographs.main("start_time", CONFIGS, claims)
