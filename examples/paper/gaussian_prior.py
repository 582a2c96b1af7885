"""Experiment 2: a Gaussian prior, where the iteration's end is known in closed form.

    pip install ".[tensorflow,evaluation]"
    python examples/paper/gaussian_prior.py

With x ~ N(c, p^2) and y = x + q n the estimate is
`F(x_t, t) = (p^2 x_t + t^2 q^2 c) / (p^2 + t^2 q^2)`, and small steps end at
`c + (y - c) p / sqrt(p^2 + q^2)`: the ends are distributed as the prior. Nothing is
trained.
"""

import dataclasses
import functools

import harness
import keras
import numpy as np
from harness import Claim, Findings, judged
from keras import ops

from keras_indi.models import InDI

SAMPLERS = ("indi", "heun", "multistep", "dpm_solver")
# The order of convergence that a solver claims, where it claims one.
ORDERS = {"indi": 1, "heun": 2, "multistep": 2}


@dataclasses.dataclass(kw_only=True)
class Config:
    """How large a run is.

    Args:
        mean: Float, c.
        prior_scale: Float, p.
        noise_scales: Tuple of floats, q.
        num_steps: Tuple of ints for the orders of convergence. (At more, float32
            rounds as much as the second-order solvers err.)
        fine_steps: Int, for the solution and the end distribution.
        points: Int.
        seeds: Tuple of ints, of the observations.
    """

    mean: float = 0.5
    prior_scale: float = 1.0
    noise_scales: tuple = (0.5, 1.0, 2.0)
    num_steps: tuple = (8, 12, 16, 24, 32, 48, 64)
    fine_steps: int = 512
    points: int = 20_000
    seeds: tuple = (0, 1, 2)


CONFIGS = {
    "full": Config(fine_steps=2048, points=1_000_000, seeds=(0, 1, 2, 3, 4)),
    "small": Config(),
    "smoke": Config(num_steps=(8, 16), fine_steps=32, points=200, seeds=(0, 1)),
}


@keras.saving.register_keras_serializable(package="paper_gaussian")
class PosteriorMean(keras.layers.Layer):
    """F(x_t, t) for x ~ N(mean, prior_scale^2), y = x + noise_scale n."""

    def __init__(self, mean, prior_scale, noise_scale, **kwargs):
        super().__init__(**kwargs)
        self.mean, self.prior_scale, self.noise_scale = mean, prior_scale, noise_scale

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1))
        prior, noise = self.prior_scale**2, (times * self.noise_scale) ** 2
        return (prior * inputs["images"] + noise * self.mean) / (prior + noise)


def observations(config, noise_scale, seed):
    """Draws of y, as one image with a pixel each."""
    rng = np.random.default_rng(seed)
    clean = config.mean + config.prior_scale * rng.standard_normal(config.points)
    degraded = clean + noise_scale * rng.standard_normal(config.points)
    return degraded.astype("float32").reshape(1, -1, 1)


def draw_figure(config, path, solutions, orders):
    figure, (axes,) = harness.new_figure(1, 3, 3.6, 3.4)
    degraded, restored, expected = solutions
    order = np.argsort(degraded)
    names = {steps: f"{steps} step" + "s" * (steps > 1) for steps in restored}
    for steps, ends in restored.items():
        axes[0].plot(degraded[order], ends[order], linewidth=1, label=names[steps])
    axes[0].plot(degraded[order], expected[order], "k--", linewidth=1, label="limit")
    axes[0].set(xlabel="y", ylabel="end", title="Solution")
    bins = np.linspace(*(config.mean + 4 * config.prior_scale * np.array([-1, 1])), 60)
    for steps, ends in restored.items():
        axes[1].hist(ends, bins, density=True, histtype="step", label=names[steps])
    unit = (bins - config.mean) / config.prior_scale
    density = np.exp(-(unit**2) / 2) / (config.prior_scale * np.sqrt(2 * np.pi))
    axes[1].plot(bins, density, "k--", linewidth=1, label="prior")
    axes[1].set(xlabel="end", title="End distribution")
    for sampler, errors in orders.items():
        axes[2].loglog(config.num_steps, errors, "o-", markersize=3, label=sampler)
    axes[2].minorticks_off()
    axes[2].set_xticks(config.num_steps, config.num_steps)
    axes[2].set(xlabel="steps", title="Greatest error, prior scales")
    for axis in axes:
        axis.legend(fontsize=7)
    return harness.save_figure(figure, path)


def run(config, folder, options):
    measured, slopes = {}, {sampler: [] for sampler in SAMPLERS}
    ends, solution_errors = [], []
    for noise_scale in config.noise_scales:
        problem = PosteriorMean(config.mean, config.prior_scale, noise_scale)
        model = InDI(problem, value_range=None)
        shrinkage = config.prior_scale / np.hypot(config.prior_scale, noise_scale)

        restored = functools.partial(model.restore, verbose=0)
        for seed in config.seeds:
            degraded = observations(config, noise_scale, seed)
            found = restored(degraded, config.fine_steps)
            limit = config.mean + (degraded - config.mean) * shrinkage
            solution_errors.append(np.abs(found - limit).max() / config.prior_scale)
            ends.append((float(found.mean()), float(found.std())))
        spread = np.hypot(config.prior_scale, noise_scale)
        line = config.mean + spread * np.linspace(-3, 3, 101, dtype="float32")
        line = line.reshape(1, -1, 1)
        limit = config.mean + (line - config.mean) * shrinkage
        errors = {
            sampler: [
                float(np.abs(restored(line, steps, sampler) - limit).max())
                / config.prior_scale
                for steps in config.num_steps
            ]
            for sampler in SAMPLERS
        }
        for sampler, found in errors.items():
            slope = -np.polyfit(np.log(config.num_steps), np.log(found), 1)[0]
            slopes[sampler].append(float(slope))
        measured[f"noise scale {noise_scale}"] = errors
        if noise_scale == config.noise_scales[len(config.noise_scales) // 2]:
            degraded = observations(config, noise_scale, config.seeds[0])
            numbers = (1, 4, config.fine_steps)
            shown = {n: restored(degraded, n).ravel() for n in numbers}
            limit = config.mean + (degraded - config.mean) * shrinkage
            picture = degraded.ravel(), shown, limit.ravel(), errors
    *solutions, errors = picture
    figure = draw_figure(config, folder / "gaussian_prior.png", solutions, errors)

    means, deviations = np.transpose(ends)
    # Twice the standard error of mean and deviation of that many draws, and the bias
    # of the first-order steps.
    away = max(
        np.abs(means - config.mean).max() / config.prior_scale,
        np.abs(deviations / config.prior_scale - 1).max(),
    )
    bound = 3 / np.sqrt(config.points) + max(solution_errors)
    wrong = {
        sampler: max(abs(slope - order) for slope in slopes[sampler])
        for sampler, order in ORDERS.items()
    }
    measured.update(
        orders=slopes,
        ends_mean=means,
        ends_deviation=deviations,
        solution_errors=solution_errors,
    )
    claims = [
        Claim(
            "Small steps end at c + (y - c) p / sqrt(p^2 + q^2).",
            judged(max(solution_errors) < 5 / config.fine_steps),
            f"Greatest distance from it in {config.fine_steps} steps "
            f"{max(solution_errors):.4f} p, over q = {config.noise_scales}.",
            figure,
        ),
        Claim(
            "The ends are distributed as the prior.",
            judged(away < bound),
            f"Means {means.min():.3f} to {means.max():.3f} (prior {config.mean}), "
            f"deviations {deviations.min():.3f} to {deviations.max():.3f} (prior "
            f"{config.prior_scale}), over q and seeds.",
            figure,
        ),
        Claim(
            "The iteration is a first-order solver of the residual flow; Heun and "
            "multistep (beyond the paper) are of second order.",
            judged(max(wrong.values()) < 0.35),
            "Orders "
            + "; ".join(
                f"{sampler} {min(found):.2f} to {max(found):.2f}"
                for sampler, found in slopes.items()
            )
            + f", from {config.num_steps[0]} to {config.num_steps[-1]} steps.",
            figure,
        ),
    ]
    protocol = {
        "points": config.points,
        "observation_seeds": config.seeds,
        "error": "greatest distance from the limit, y within 3 deviations, units of p",
        "time_grid": "uniform",
    }
    return Findings(protocol, measured, claims)


if __name__ == "__main__":
    harness.main("gaussian_prior", run, CONFIGS)
