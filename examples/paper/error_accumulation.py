"""Experiment 12: why many steps deteriorate, and what cures it.

    pip install ".[tensorflow,data,evaluation]"
    python examples/paper/error_accumulation.py --data DATA --weights alex=PATH

The paper leaves open why quality falls again after the best number of steps, and
suspects an accumulation of errors. Here F, the estimate, is asked at each t on true
states, which it was trained on, and on its own, which it meets in restoring. Where F is
exact (two controls) both are distributed alike; where it is a network they are not.
Then four cures: a time shift, own states in training, less noise, a network without y.
"""

import dataclasses
import pathlib

import gaussian_prior
import harness
import numpy as np
import toy
from harness import Claim, Findings, judged
from held_out import data_folder
from keras import ops

import keras_indi
from keras_indi import data, evaluation, process
from keras_indi.data.degradations import Downsample, GaussianNoise, JPEGCompression
from keras_indi.evaluation.grain import finest_band_power
from keras_indi.evaluation.plots import TITLES
from keras_indi.models import InDI
from keras_indi.schedules import ConstantNoise

CHECKPOINTS = pathlib.Path(__file__).parents[1] / "presets" / "checkpoints"
TRUE, OWN = "trained on true states", "trained on own states too"
ALONE = "sees x_t alone, no noise on the path"
STYLES = {TRUE: "-", OWN: "--", ALONE: ":"}  # of lines
WITH_NOISE, WITHOUT_NOISE = "with the noise of training", "without noise"


@dataclasses.dataclass(kw_only=True)
class Config:
    """How large a run is.

    Args:
        tasks: Dict of names to pairs of a degradation, and a dict of how a model was
            trained to its name: of a shipped preset, or of a checkpoint of one.
        folder: Folder of clean photographs, in the folder of data.
        images: Int, how many of them.
        crop: Int, pixels of the centre.
        num_steps: Int, of the walk whose states are compared.
        counts: Tuple of ints, the numbers of steps to score.
        time_shifts: Tuple of floats, k; 1 is none.
        probe: Float, the deviation of an injected error, in grey levels.
        points: Int, of the controls.
        control_steps: Int, enough for the controls to be near their limit.
        metrics: Tuple of names of `Protocol`, the last the one that is judged.
    """

    tasks: dict
    folder: str = "photographs/validation"
    images: int = 16
    crop: int = 128
    num_steps: int = 16
    counts: tuple = (1, 2, 4, 8, 16)
    time_shifts: tuple = (1.0, 1.15, 1.3, 1.5, 1.7)
    probe: float = 2.0
    points: int = 20_000
    control_steps: int = 128
    metrics: tuple = ("psnr", "lpips_alex")


TASKS = {
    "noise of sigma 25": (
        GaussianNoise(25),
        {TRUE: "ground_dependent_noise", ALONE: "ground_blind_unconditioned"},
    ),
    "JPEG of quality 15": (
        JPEGCompression(15),
        {TRUE: "ground_jpeg", OWN: "indi_small_jpeg"},
    ),
    "4x super-resolution": (
        Downsample(4),
        {TRUE: "ground_super_resolution", OWN: "indi_small_super_resolution_x4"},
    ),
}
CONFIGS = {
    "full": Config(tasks=TASKS, images=64, crop=256, points=1_000_000),
    "small": Config(tasks=TASKS),
    "smoke": Config(
        tasks={"noise of sigma 25": TASKS["noise of sigma 25"]},
        folder="smoke",
        images=2,
        crop=32,
        num_steps=3,
        counts=(1, 3),
        time_shifts=(1.0, 1.3),
        points=5000,
        control_steps=32,
        metrics=("psnr",),
    ),
}


def load(name):
    """A checkpoint of a training, or a shipped preset."""
    folder = CHECKPOINTS / name
    return keras_indi.load_restorer(str(folder) if folder.exists() else name)


def read_pairs(config, degradation, root):
    """Arrays of degraded and clean crops; the seed of an image is its number."""
    pairs = []
    paths = sorted(data.find_images(root / config.folder).values())
    for number, path in enumerate(paths[: config.images]):
        clean = data.read_image(path, 3)
        top, left = ((size - config.crop) // 2 for size in clean.shape[:2])
        clean = clean[top : top + config.crop, left : left + config.crop]
        pairs.append((degradation(clean, number), clean))
    return [np.stack(images) for images in zip(*pairs)]


def walk(model, degraded, clean, num_steps, probe, power):
    """What F does on true and on own states, along the steps of a restoration.

    Args:
        model: `InDI`.
        degraded: Array `(batch, height, width, channels)`.
        clean: Array of the same shape.
        num_steps: Int.
        probe: Float, the deviation of the injected error.
        power: Function of states that returns a float, alike for states that are
            distributed alike.

    Returns:
        Dict of lists with an entry a step: `time`; `error_true` and `error_own`, F's
        mean squared error; `power_true` and `power_own` of the states; `kept`, the
        share of the energy of an error injected into the own state that F keeps.
    """
    rng = np.random.default_rng((0, 0, 0, 3))
    degraded, clean = degraded.astype("float32"), clean.astype("float32")
    low, high = model.value_range or (-1, 1)
    states = model.restore(
        degraded,
        num_steps,
        time_grid="uniform",
        time_shift=1.0,
        scale=1,  # of super-resolution: y is enlarged already
        return_trajectory=True,
        verbose=0,
    )

    def estimate(images, time):
        times = ops.full((len(images),), time, "float32")
        found = model.estimate(ops.convert_to_tensor(images), times, degraded)
        return ops.convert_to_numpy(found)

    found = {key: [] for key in ("time", "error_true", "error_own")}
    found |= {"power_true": [], "power_own": [], "kept": []}
    for time, own in zip(np.linspace(1, 0, num_steps + 1)[:-1], states):
        eps = ops.convert_to_numpy(model.noise_schedule.scale(ops.array([time])))[0]
        true = process.interpolate(clean, degraded, np.float32(time))
        true = ops.convert_to_numpy(true)
        true = true + eps * (high - low) / 2 * noise_like(true, rng)
        of_own = estimate(own, time)
        injected = estimate(own + probe * noise_like(own, rng), time) - of_own
        row = {
            "time": time,
            "error_true": np.square(estimate(true, time) - clean).mean(),
            "error_own": np.square(of_own - clean).mean(),
            "power_true": power(true),
            "power_own": power(own),
            "kept": np.square(injected).mean() / probe**2,
        }
        for key, value in row.items():
            found[key].append(float(value))
    return found


def noise_like(images, rng):
    return rng.standard_normal(images.shape, dtype="float32")


def finest_band(states):
    return np.mean([finest_band_power(state) for state in states])


def controls(config):
    """The walks of two problems whose exact F is known."""
    rng = np.random.default_rng(0)
    size = (1, config.points, 1, 1)
    exact = gaussian_prior.PosteriorMean(0.0, 1.0, 1.0)
    clean = rng.standard_normal(size, dtype="float32")
    pairs = {"Gaussian prior": (exact, clean + noise_like(clean, rng), clean)}
    exact = toy.PosteriorMean(toy.OPERATORS["identity"], 1.0)
    degraded, clean = toy.draw(config.points, toy.OPERATORS["identity"], 1.0, rng)
    pairs["four points"] = (exact, degraded, clean)
    return {
        name: walk(
            InDI(exact, value_range=None),
            degraded,
            clean,
            config.control_steps,
            0.01,
            np.var,
        )
        for name, (exact, degraded, clean) in pairs.items()
    }


def score(config, model, pairs, protocol, folder, time_shifts):
    """Dict of k to a dict of the number of steps to the scores."""
    table = evaluation.trade_off(
        model,
        list(zip(*pairs)),
        config.counts,
        time_shifts=time_shifts,
        protocol=protocol,
        output_dir=folder,
    )
    found = {}
    for row in table:
        scores = {metric: row[metric] for metric in config.metrics}
        found.setdefault(row["time_shift"], {})[row["num_steps"]] = scores
    return found


def run(config, folder, options):
    root = data_folder(options)
    protocol = evaluation.Protocol(config.metrics, weights=options.weights)
    walks, scores = {"controls": controls(config)}, {}
    for task, (degradation, models) in config.tasks.items():
        pairs = read_pairs(config, degradation, root)
        walks[task], scores[task] = {}, {}
        for training, name in models.items():
            model = load(name)
            arguments = (*pairs, config.num_steps, config.probe, finest_band)
            walks[task][training] = walk(model, *arguments)
            kept = options.runs / f"{task}, {training}".replace(" ", "_")
            scores[task][training] = {
                WITH_NOISE: score(
                    config, model, pairs, protocol, kept, config.time_shifts
                )
            }
            if not model.noise_schedule.is_zero:
                model.noise_schedule = ConstantNoise(0.0)
                scores[task][training][WITHOUT_NOISE] = score(
                    config, model, pairs, protocol, f"{kept}_without_noise", (1.0,)
                )
    figures = [
        draw_walks(walks, folder / "states.png"),
        draw_cures(config, scores, folder / "cures.png"),
    ]
    facts = {
        "images": config.images,
        "crop": config.crop,
        "models": {task: models for task, (_, models) in config.tasks.items()},
        "metrics": protocol.without_folders(),
        "time_grid": "uniform",
    }
    claims = [
        *control_claims(walks["controls"], figures[0]),
        *state_claims(config, walks, figures[0]),
        *cure_claims(config, scores, figures[1]),
    ]
    return Findings(facts, {"walks": walks, "scores": scores}, claims)


def control_claims(walks, figure):
    """What holds of states and errors where F is exact."""
    for name, found in walks.items():
        ratios = np.divide(found["power_own"], found["power_true"])
        away = np.abs(ratios - 1).max()
        yield Claim(
            "With the exact F, own states vary as much as true ones.",
            judged(away < 0.05),
            f"{name}: variances at most {100 * away:.1f} % apart, over t.",
            figure,
        )
        growth = found["error_own"][-1] / found["error_own"][0]
        yield Claim(
            "With the exact F, the end errs at most twice as much as one step.",
            judged(growth < 2.05),
            f"{name}: {growth:.2f} times its squared error.",
            figure,
        )


def state_claims(config, walks, figure):
    for task in config.tasks:
        found = walks[task][TRUE]
        ratio = found["power_own"][-1] / found["power_true"][-1]
        yield Claim(
            "A network's last own states hold more grain than true ones.",
            judged(ratio > 1.05),
            f"{task}: {ratio:.2f} times the power of the finest frequencies, at "
            f"t = {found['time'][-1]:.2f}.",
            figure,
        )
        first, last = found["kept"][0], found["kept"][-1]
        yield Claim(
            "Late steps keep errors that early ones remove.",
            judged(last > 2 * first),
            f"{task}: of an error's energy F keeps {100 * first:.1f} % at t = 1 and "
            f"{100 * last:.1f} % at t = {found['time'][-1]:.2f}.",
            figure,
        )


def cure_claims(config, scores, figure):
    """What the most steps lose, in the last metric, and what cures it."""
    metric, most = config.metrics[-1], config.counts[-1]
    higher = evaluation.protocol.higher_is_better(metric)
    better = max if higher else min

    def worse(counts):
        """Whether the most steps are, and the scores; one step is no iteration."""
        best, steps = better((counts[n][metric], n) for n in config.counts[1:])
        loss = (1 if higher else -1) * (best - counts[most][metric])
        text = f"{best:.4f} in {steps} steps, {counts[most][metric]:.4f} in {most}."
        return loss > 0.05 * best, text

    def cure(text, task, before, after, by):
        found = f"{before:.4f} in {most} steps, {after:.4f} {by}."
        shows = after != before and better(before, after) == after
        return Claim(text, judged(shows), f"{task}: {TITLES[metric]} {found}", figure)

    for task, models in scores.items():
        found = models[TRUE][WITH_NOISE]
        shows, text = worse(found[1.0])
        text = f"{task}: {TITLES[metric]} {text}"
        yield Claim("Many steps deteriorate.", judged(shows), text, figure)
        shows, text = worse(models[TRUE][WITHOUT_NOISE][1.0])
        text = f"{task}: {TITLES[metric]} {text}"
        title = "Without noise on the path they do not deteriorate."
        yield Claim(title, judged(not shows), text, figure)
        plain = found[1.0][most][metric]
        shifted, k = better(
            (found[k][most][metric], k) for k in config.time_shifts if k > 1
        )
        title = "A time shift makes many steps better."
        yield cure(title, task, plain, shifted, f"with k = {k:g}")
        for training, title in {
            OWN: "Training on own states makes many steps better.",
            ALONE: "Seeing x_t alone, without noise, makes many steps better.",
        }.items():
            if training in models:
                other = models[training][WITH_NOISE][1.0][most][metric]
                yield cure(title, task, plain, other, training)


def draw_walks(walks, path):
    """Errors, the states' power and what F keeps, over t; a column a problem."""
    columns = {name: {TRUE: found} for name, found in walks["controls"].items()}
    columns |= {task: found for task, found in walks.items() if task != "controls"}
    figure, axes = harness.new_figure(3, len(columns), 3.2, 2.6)
    for column, (name, found) in enumerate(columns.items()):
        for number, training in enumerate(STYLES):
            if training not in found:
                continue
            style = f"C{number}"
            one = found[training]
            label = "exact F" if name in walks["controls"] else training
            error, power, kept = axes[:, column]
            error.plot(one["time"], one["error_own"], style, label=f"{label}: own")
            error.plot(one["time"], one["error_true"], f"{style}--", label="true")
            ratio = np.divide(one["power_own"], one["power_true"])
            power.plot(one["time"], ratio, style)
            kept.plot(one["time"], one["kept"], style)
        error.set(title=f"{name}\nsquared error of F")
        power.set(title="power of own states / true ones")
        power.axhline(1, color="grey", linewidth=0.8)
        kept.set(title="share of an error that F keeps", xlabel="t")
        for axis in axes[:, column]:
            axis.set_xlim(1, 0)
            axis.set_ylim(0)
        error.legend(fontsize=6)
    return harness.save_figure(figure, path)


def draw_cures(config, scores, path):
    """The last metric over the number of steps; a column a task."""
    metric = config.metrics[-1]
    figure, (axes,) = harness.new_figure(1, len(scores), 3.6, 3.8)
    labels = {}
    for axis, (task, models) in zip(axes, scores.items()):
        for training, found in models.items():
            lines = {f"k = {k:g}": counts for k, counts in found[WITH_NOISE].items()}
            if WITHOUT_NOISE in found:
                lines[WITHOUT_NOISE] = found[WITHOUT_NOISE][1.0]
            for number, (name, counts) in enumerate(lines.items()):
                style = f"C{number}{STYLES[training]}"
                values = [scores[metric] for scores in counts.values()]
                (line,) = axis.plot(list(counts), values, style, marker="o", ms=3)
                labels.setdefault(f"{name}, {training}", line)
        axis.set(title=task, xlabel="steps", ylabel=TITLES[metric], xscale="log")
        axis.set_xticks(config.counts, config.counts, minor=False)
        axis.minorticks_off()
    place = {"loc": "outside lower center", "ncols": 3, "fontsize": 7}
    figure.legend(labels.values(), labels.keys(), **place)
    return harness.save_figure(figure, path)


if __name__ == "__main__":
    harness.main("error_accumulation", run, CONFIGS)
