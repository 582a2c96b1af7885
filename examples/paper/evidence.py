"""What speaks for more steps: all that grain would not pass."""

import numpy as np
import verdicts
from drawing import steps_of
from held_out import by_photograph

from keras_indi import data, evaluation
from keras_indi.evaluation.grain import added_energy, sharpened, with_noise

LOSSES = (0.3, 0.6, 1.0)  # dB


def frontier(config, curves):
    """The best perceptual scores that cost at most so many dB of the fewest calls.

    Args:
        config: `Config`.
        curves: `verdicts.Curves`.

    Returns:
        Dict of lines to dicts of the loss to dicts of metrics to pairs of the score and
        the number of calls.
    """
    found = {}
    for line, _, _ in config.lines():
        psnr = {n: curves.values("psnr", line, n).mean() for n in curves.calls(line)}
        found[line] = {}
        for loss in LOSSES:
            calls = [n for n in psnr if psnr[n] >= psnr[min(psnr)] - loss]
            found[line][str(loss)] = {
                metric: best_of(curves, metric, line, calls)
                for metric in verdicts.perceptual(config)
            }
    return found


def best_of(curves, metric, line, calls):
    """The best score at some numbers of calls, and the number."""
    scores = [float(curves.values(metric, line, n).mean()) for n in calls]
    return max(
        zip(scores, calls), key=lambda entry: verdicts.goodness(metric, entry[0])
    )


def controls(config, curves, models, folders, weights):
    """More calls beside one call with noise, and sharpened, of the same energy.

    The energy is what more calls add to the squared error of one call.

    Args:
        config: `Config`, whose `controlled` names the lines.
        curves: `verdicts.Curves`.
        models: Dict of variants' names to models.
        folders: Dict of sets to pairs of folders.
        weights: Dict of the weights of metrics, as for `Protocol`.

    Returns:
        Dict of lines to dicts of `calls`, the best number above one, and of what they
        are compared with to dicts of metrics to `[mean, low, high]`: the difference,
        and its 95 % interval over photographs.
    """
    metrics = [name for name in config.metrics if name[:3] not in ("fid", "kid")]
    lpips = {name for name in weights if f"lpips_{name}" in metrics}
    protocol = evaluation.Protocol(
        metrics or ["psnr"], weights={name: weights[name] for name in lpips}
    )
    judge = next(filter(verdicts.perceptual(config).__contains__, metrics), "psnr")
    lines = {name: line for name, *line in config.lines()}
    found = {}
    for name in config.controlled:
        variant, method = lines[name]
        more = [calls for calls in curves.calls(name) if calls > 1]
        _, calls = best_of(curves, judge, name, more)
        steps = steps_of(models[variant], method, calls)
        tables = [
            scores(models[variant], method, steps, pair, protocol)
            for pair in folders.values()
        ]
        found[name] = {"calls": calls}
        for system in tables[0]:
            if system != MORE:
                found[name][system] = {
                    metric: interval(
                        np.concatenate(
                            [t[MORE][metric] - t[system][metric] for t in tables]
                        )
                    )
                    for metric in protocol.columns
                }
    return found


MORE = "more calls"


def scores(model, method, steps, pair, protocol):
    """Scores by photograph of the systems of `controls`, on one set."""
    degraded, clean = (data.find_images(folder) for folder in pair)
    names, images, systems = sorted(clean), [], {}
    for number, name in enumerate(names):
        images.append(data.read_image(clean[name]))
        one, more = (
            model.restore(
                data.read_image(degraded[name]),
                count,
                **method.arguments(),
                seed=number,
                verbose=0,
            )
            for count in (1, steps)
        )
        energy = added_energy(images[-1], one, more)
        for system, image in {
            MORE: more,
            "one call": one,
            "one call and noise": with_noise(one, energy, number),
            "one call, sharpened": sharpened(one, energy),
        }.items():
            systems.setdefault(system, []).append(image)
    return {
        system: by_photograph(evaluation.evaluate(made, images, protocol), names)
        for system, made in systems.items()
    }


def interval(differences):
    """The mean over photographs, and its 95 % interval by the bootstrap."""
    low, high = np.percentile(verdicts.resampled(differences), [2.5, 97.5])
    return [float(differences.mean()), float(low), float(high)]
