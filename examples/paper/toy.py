"""Experiment 1: four points in the plane, where everything can be seen.

    pip install ".[tensorflow,evaluation]"
    python examples/paper/toy.py

The clean image is one of four points, degraded by noise: all of it is observed, or
after a projection its first coordinate alone. The posterior mean is known; beside it a
network learns it. Regression, one step, averages the modes; iteration runs into one.
"""

import dataclasses

import harness
import keras
import numpy as np
from harness import Claim, Findings, judged
from keras import ops

from keras_indi.images.whole_writes import write_whole
from keras_indi.models import InDI

MODES = np.array([[1, 1], [1, -1], [-1, 1], [-1, -1]], "float32")
OPERATORS = {"identity": (1.0, 1.0), "projection": (1.0, 0.0)}
NEAR = 0.1  # from a mode, which are 2 apart


@dataclasses.dataclass(kw_only=True)
class Config:
    """How large a run is.

    Args:
        noise: Float, the standard deviation of the observation's noise.
        num_steps: Tuple of ints, what is measured.
        points: Int, observations that are restored.
        pairs: Int, training pairs, new in each pass.
        passes: Int.
        batch_size: Int.
        units: Int, width of the network's three layers.
        seeds: Tuple of ints, one training each.
    """

    noise: float = 1.0
    num_steps: tuple = (1, 2, 4, 8, 16, 32, 64)
    points: int = 4000
    pairs: int = 65536
    passes: int = 30
    batch_size: int = 1024
    units: int = 64
    seeds: tuple = (0, 1, 2)


CONFIGS = {
    "full": Config(
        num_steps=(1, 2, 4, 8, 16, 32, 64, 128, 256),
        points=100_000,
        pairs=1_000_000,
        passes=512,  # 500,000 steps
        units=256,
        seeds=(0, 1, 2, 3, 4),
    ),
    "small": Config(),
    "smoke": Config(num_steps=(1, 4), points=100, pairs=2048, passes=1, seeds=(0, 1)),
}


@keras.saving.register_keras_serializable(package="paper_toy")
class PosteriorMean(keras.layers.Layer):
    """F(x_t, t): the mean of the modes c, weighted by N(x_t; H_t c, t^2 sigma^2 I).

    With H_t = (1 - t) I + t H. A point is an image of one pixel with two channels.
    """

    def __init__(self, diagonal, noise, **kwargs):
        super().__init__(**kwargs)
        self.diagonal = np.asarray(diagonal, "float32")
        self.noise = noise

    def call(self, inputs):
        times = ops.reshape(inputs["times"], (-1, 1, 1, 1, 1))
        centres = (1.0 - times + times * self.diagonal) * MODES
        squared = ops.sum((inputs["images"][..., None, :] - centres) ** 2, axis=-1)
        logits = -squared / (2.0 * (times[..., 0] * self.noise) ** 2)
        return ops.matmul(ops.softmax(logits, axis=-1), MODES)


def draw(count, diagonal, noise, rng):
    """Pairs `(degraded, clean)` of shape `(count, 1, 1, 2)`."""
    clean = MODES[rng.integers(len(MODES), size=count)]
    degraded = clean * np.asarray(diagonal, "float32")
    degraded = degraded + noise * rng.standard_normal(clean.shape, dtype="float32")
    return degraded[:, None, None], clean[:, None, None]


def network(units):
    """A perceptron of x_t, t and x_t / (t^2 + 0.05)."""
    images = keras.Input((None, None, 2), name="images")
    times = keras.Input((), name="times")
    time = ops.reshape(times, (-1, 1, 1, 1))
    plane = time * ops.ones_like(images[..., :1])
    x = ops.concatenate([images, plane, images / (time**2 + 0.05)], axis=-1)
    for _ in range(3):
        x = keras.layers.Dense(units, activation="silu")(x)
    outputs = keras.layers.Dense(2)(x)
    return keras.Model({"images": images, "times": times}, outputs)


def trained(name, config, seed, runs):
    """A model trained on pairs, or what an earlier run has trained."""
    path = runs / f"{name}_seed{seed}.keras"
    if path.exists():
        return keras.saving.load_model(path, compile=False)
    keras.utils.set_random_seed(seed)
    rng = np.random.default_rng(seed)
    model = InDI(network(config.units), value_range=None, seed=seed)
    steps = config.passes * config.pairs // config.batch_size
    rate = keras.optimizers.schedules.CosineDecay(5e-3, steps)
    # The mean is what squared errors ask for.
    model.compile(keras.optimizers.Adam(rate), "mean_squared_error")
    for _ in range(config.passes):
        degraded, clean = draw(config.pairs, OPERATORS[name], config.noise, rng)
        model.fit(degraded, clean, batch_size=config.batch_size, verbose=0)
    write_whole(path, model.save)
    return model


def measured(model, degraded, clean, num_steps):
    """By number of steps: squared error, share of ends near a mode, modes' shares."""
    rows = {}
    for steps in num_steps:
        ends = model.restore(degraded, steps, verbose=0)
        distances = np.linalg.norm(ends[:, 0, 0, None] - MODES, axis=-1)
        nearest = distances.argmin(axis=1)
        rows[steps] = {
            "squared_error": float(np.mean(np.sum((ends - clean) ** 2, axis=-1))),
            "near_a_mode": float(np.mean(distances.min(axis=1) < NEAR)),
            "shares": np.bincount(nearest, minlength=4) / len(ends),
        }
    return rows


def draw_paths(models, degraded, steps, path):
    """Paths of some points, one row an operator, one column a model and step count."""
    columns = [(kind, number) for kind in models[0][1] for number in (1, steps)]
    figure, axes = harness.new_figure(len(models), len(columns))
    for row, (name, kinds) in zip(axes, models):
        for axis, (kind, number) in zip(row, columns):
            states = kinds[kind].restore(
                degraded[name], number, return_trajectory=True, verbose=0
            )[:, :, 0, 0]
            axis.plot(*states[:, :60].transpose(2, 0, 1), color="0.75", linewidth=0.6)
            axis.plot(*states[0].T, ".", color="0.6", markersize=2)
            axis.plot(*states[-1].T, ".", color="tab:blue", markersize=3)
            axis.plot(*MODES.T, "x", color="tab:red", markersize=7)
            axis.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), aspect="equal")
            plural = "step" if number == 1 else "steps"
            axis.set_title(f"{name}, {kind}, {number} {plural}", fontsize=8)
    return harness.save_figure(figure, path)


def run(config, folder, options):
    most = config.num_steps[-1]
    rows, models, starts = {}, [], {}
    for name, diagonal in OPERATORS.items():
        rng = np.random.default_rng(1000)
        degraded, clean = draw(config.points, diagonal, config.noise, rng)
        exact = InDI(PosteriorMean(diagonal, config.noise), value_range=None)
        fitted = [trained(name, config, seed, options.runs) for seed in config.seeds]
        rows[name] = {
            "closed_form": measured(exact, degraded, clean, config.num_steps),
            "trained": [
                measured(model, degraded, clean, config.num_steps) for model in fitted
            ],
        }
        models.append((name, {"closed form": exact, "network": fitted[0]}))
        starts[name] = degraded[:400]
    paths = draw_paths(models, starts, most, folder / "paths.png")

    claims = []
    for kind in ("closed form", "network"):
        first, last = [], []
        for name in OPERATORS:
            found = rows[name]["closed_form"], *rows[name]["trained"]
            found = found[:1] if kind == "closed form" else found[1:]
            first.append([table[1] for table in found])
            last.append([table[most] for table in found])
        first, last = sum(first, []), sum(last, [])
        error = [row["squared_error"] for row in first]
        later = [row["squared_error"] for row in last]
        gaps = np.subtract(later, error)
        claims.append(
            Claim(
                f"One step, the regression, has the least squared error ({kind}).",
                judged(gaps.min() > 0),
                f"Squared error {_range(error)} in one step, {_range(later)} in "
                f"{most}, over operators and seeds.",
                paths,
            )
        )
        near, nearer = (
            [row["near_a_mode"] for row in table] for table in (first, last)
        )
        claims.append(
            Claim(
                f"Regression averages the modes, iteration ends in one ({kind}).",
                judged(max(near) < 0.5 < 0.9 < min(nearer)),
                f"Within {NEAR} of a mode end {_range(near)} of the points in one "
                f"step, {_range(nearer)} in {most}.",
                paths,
            )
        )
        shares = np.array([row["shares"] for row in last])
        away = np.abs(shares - 0.25).max()
        claims.append(
            Claim(
                f"The ends are spread over the modes as the prior is ({kind}).",
                judged(away < 0.03),
                f"Shares of the four modes {_range(shares.ravel())}; the prior's are "
                "0.25.",
                paths,
            )
        )
    protocol = {
        "points": config.points,
        "training_seeds": config.seeds,
        "network_calls": "one a step",
        "training_steps": config.passes * config.pairs // config.batch_size,
        "degradation": f"H c + {config.noise} n, H = I and H = diag(1, 0)",
    }
    return Findings(protocol, rows, claims)


def _range(values):
    low, high = np.min(values), np.max(values)
    return f"{low:.3f}" if high - low < 5e-4 else f"{low:.3f} to {high:.3f}"


if __name__ == "__main__":
    harness.main("toy", run, CONFIGS)
