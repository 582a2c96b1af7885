"""Figures of the experiments on photographs."""

import harness
import numpy as np
import verdicts

from keras_indi import data
from keras_indi.evaluation.plots import TITLES

PICTURE = 128  # pixels of the centre that pictures show


def draw_curves(config, curves, path):
    """Each metric against the calls, and PSNR against the first perceptual metric."""
    lines, metrics = list(config.lines()), list(config.metrics)
    pair = "psnr" in metrics and verdicts.perceptual(config)[:1]
    figure, (axes,) = harness.new_figure(1, len(metrics) + bool(pair), 3.6, 3.4)
    ticks = sorted({calls for line, _, _ in lines for calls in curves.calls(line)})
    for number, (line, _, _) in enumerate(lines):
        calls = curves.calls(line)
        style = {
            "color": f"C{number % 10}",
            "linestyle": ("-", "--", ":")[number // 10 % 3],
            "marker": "o",
            "markersize": 3,
            "linewidth": 1.2,
        }
        means = {}
        for axis, metric in zip(axes, metrics):
            found = [curves.values(metric, line, count) for count in calls]
            means[metric] = [values.mean() for values in found]
            # All lines have the same photographs: how these vary says nothing here.
            spread = [np.ptp(values) / 2 for values in found]
            spread = spread if curves.chance == "training seeds" else None
            axis.errorbar(calls, means[metric], spread, label=line, **style)
            axis.set(xlabel="network calls", xscale="log", title=TITLES[metric])
            axis.set_xticks(ticks, ticks, minor=False)
            axis.minorticks_off()
        if pair:
            axes[-1].plot(means[pair[0]], means["psnr"], **style)
            axes[-1].set(
                xlabel=TITLES[pair[0]], ylabel=TITLES["psnr"], title="trade-off"
            )
    for number, (tool, scores) in enumerate(curves.tools.items()):
        style = {"color": "grey", "linestyle": (":", "--", "-.")[number % 3]}
        for axis, metric in zip(axes, metrics):
            axis.axhline(scores[metric], label=tool, linewidth=1, **style)
        if pair:
            place = scores[pair[0]], scores["psnr"]
            axes[-1].plot(*place, "x", color="grey", markersize=4)
            axes[-1].annotate(tool, place, fontsize=6)
    axes[0].legend(fontsize=6)
    return harness.save_figure(figure, path)


def draw_training(config, facts, claims, path):
    """Over the steps of training: validation losses, and what claims rest on.

    Args:
        config: `Config`.
        facts: Dict of variants' names to dicts with `validation_losses`.
        claims: List of `harness.Claim`.
        path: Path of the picture.
    """
    # The losses of different restorers are of different things.
    panels = list(dict.fromkeys(v.restorer for v in config.variants.values()))
    metrics = list(dict.fromkeys(c.metric for c in claims if c.metric))
    figure, (axes,) = harness.new_figure(1, len(panels) + len(metrics), 3.6, 3.4)
    for number, (name, variant) in enumerate(config.variants.items()):
        losses = facts[name]["validation_losses"]
        axis = axes[panels.index(variant.restorer)]
        axis.plot(
            list(losses), list(losses.values()), label=name, color=f"C{number % 10}"
        )
        axis.set(title="validation loss")
    for axis, metric in zip(axes[len(panels) :], metrics):
        for claim in claims:
            if claim.metric == metric:
                gaps = {**claim.over_training, config.budget.steps: claim.gap}
                axis.plot(
                    list(gaps), list(gaps.values()), "o-", label=short(claim.claim)
                )
        axis.axhline(0, color="grey", linewidth=0.8)
        axis.set_title(f"difference in {TITLES[metric]}, as claimed", fontsize=9)
    ticks = [*config.budget.measured_at, config.budget.steps]
    for axis in axes:
        axis.set(xlabel="steps of training", xscale="log")
        axis.set_xticks(ticks, ticks)
        axis.minorticks_off()
        axis.legend(fontsize=5)
    return harness.save_figure(figure, path)


def short(claim, most=60):
    return claim if len(claim) <= most else claim[: most - 1] + "…"


def restored(config, models, line, calls, image):
    """An image, restored along a line, or `None` where it does not have these calls.

    Args:
        config: `Config`.
        models: Dict of variants' names to models.
        line: One of `config.lines()`.
        calls: Int.
        image: Array of one image, or of a batch.
    """
    _, variant, method = line
    steps = steps_of(models[variant], method, calls)
    if steps is None:
        return None
    return models[variant].restore(
        image, steps, **method.arguments(), seed=0, verbose=0
    )


def steps_of(model, method, calls):
    """The number of steps in which a method calls the network so often, or `None`."""
    for steps in range(1, calls + 1):
        if model.evaluations(steps, method.sampler, method.grid) == calls:
            return steps
    return None


def draw_pictures(config, models, folders, path):
    """Of one photograph of each set: degraded, restored along each line, clean.

    Args:
        config: `Config`.
        models: Dict of variants' names to models.
        folders: Dict of sets to pairs of folders.
        path: Path of the picture.
    """
    lines = list(config.lines())
    wanted = [(lines[0], 1)]
    for line in lines:
        most = (line[2].calls or config.calls)[-1]
        calls = config.pictured or most
        wanted += [(line, calls)] if (line, calls) != wanted[0] else []
    rows, titles = [], []
    for degraded, clean in folders.values():
        file_name = sorted(path.name for path in clean.iterdir())[0]
        first, last = (
            centre(data.read_image(side / file_name)) for side in (degraded, clean)
        )
        shown = {"degraded": first}
        for line, calls in wanted:
            image = restored(config, models, line, calls, first)
            if image is not None:
                shown[f"{line[0]}, {verdicts.counted(calls)}"] = image
        shown["clean"] = last
        rows.append(shown.values())
        titles = list(shown)
    figure, axes = harness.new_figure(len(rows), len(titles), 2.0, 2.2)
    for row, images in zip(axes, rows):
        for axis, image, title in zip(row, images, titles):
            axis.imshow(image)
            axis.set_title(title.replace(", ", "\n", 1), fontsize=7)
            axis.set_axis_off()
    return harness.save_figure(figure, path)


def centre(image):
    top, left = (max(0, (length - PICTURE) // 2) for length in image.shape[:2])
    return image[top : top + PICTURE, left : left + PICTURE]
