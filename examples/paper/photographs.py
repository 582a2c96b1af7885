"""Runs an experiment on photographs: train some models, measure each alike.

An experiment says what is compared, as a `Config` for each scale, and what the curves
tell, as a function that returns claims; `run` does the rest. All models of a comparison
are trained on the same images in the same order, with the same network and number of
steps, once for each seed.
"""

import dataclasses
import functools

import drawing
import evidence
import harness
import keras
import numpy as np
from held_out import by_photograph, data_folder, held_out_folders
from trainings import (
    circumstances,
    forward_flops,
    loaded,
    trained,
    validation_losses,
)
from verdicts import Curves

from keras_indi import evaluation
from keras_indi.evaluation.settings import all_settings
from keras_indi.images.whole_writes import write_whole


def main(name, configs, claims, draw_pictures=drawing.draw_pictures, extra=None):
    """Run an experiment on photographs from the command line.

    Args:
        name: The experiment's name, of its script.
        configs: Dict of scales to `Config`.
        claims: Function of `(config, curves, figure)` that returns the claims.
        draw_pictures: As `drawing.draw_pictures`.
        extra: Function of `(config, root, protocol)` that returns a dict of further
            scores, which `curves.extra` then is. Defaults to none.
    """
    runner = functools.partial(
        run, claims=claims, draw_pictures=draw_pictures, extra=extra
    )
    harness.main(name, runner, configs)


def run(config, folder, options, claims, draw_pictures, extra):
    """Train, measure, draw. See `harness.main`."""
    root, conventions = data_folder(options), dict(config.conventions)
    if options.scale == "smoke":
        conventions["extractor"] = make_smoke_extractor(root)
    folders = held_out_folders(config, config.held_out, root, options.shared)
    centres = dataclasses.replace(config, tiles=False, tools={})
    shown = held_out_folders(centres, config.shown, root, options.shared)
    protocol = evaluation.Protocol(
        config.metrics, weights=options.weights, **conventions
    )
    rows, models, facts = train_and_measure(config, folders, protocol, root, options)
    more = extra(config, root, protocol) if extra else {}
    tools = measured_tools(config, folders, protocol, options.shared)
    at = {
        steps: Curves(
            [row for row in rows if row["training_steps"] == steps], more, tools
        )
        for steps in (*config.budget.measured_at, config.budget.steps)
    }
    curves = at[config.budget.steps]
    figure = drawing.draw_curves(config, curves, folder / "curves.png")
    found = claims(config, curves, figure)
    for steps in config.budget.measured_at:
        for claim, earlier in zip(found, claims(config, at[steps], figure)):
            claim.over_training[steps] = earlier.gap
    if config.budget.measured_at:
        drawing.draw_training(config, facts, found, folder / "training.png")
    draw_pictures(config, models, {**folders, **shown}, folder / "pictures.png")
    protocol_facts = {
        "metrics": protocol.without_folders(),
        "training_seeds": config.budget.seeds,
        "noise_seeds": config.noise_seeds,
        "training_images": config.budget.steps * config.budget.batch_size,
        "variants": facts,
        "ema_momentum": 0.9999,
    }
    scores = {
        "rows": [
            {key: value for key, value in row.items() if key != "photographs"}
            for row in rows
        ],
        **curves.extra,
    }
    if tools:
        scores["tools"] = tools
    if config.controlled:
        scores["frontier"] = evidence.frontier(config, curves)
        scores["controls"] = evidence.controls(
            config, curves, models, folders, options.weights
        )
    return harness.Findings(protocol_facts, scores, found)


def train_and_measure(config, folders, protocol, root, options):
    """Train all variants, and measure each on the way and at the end.

    Returns:
        List of rows, dict of names to models, and dict of names to facts of training.
    """
    rows, trained_models, facts = [], {}, {}
    kept = options.shared / "models"
    for name, variant in config.variants.items():
        budget = variant.budget or config.budget
        for seed in config.budget.seeds:
            run_folder = trained(config, variant, seed, root, kept)
            for steps in (*config.budget.measured_at, None):
                model = loaded(config, variant, seed, steps, kept)
                arguments = name, seed, steps, model, folders, protocol, run_folder
                rows += measured(config, *arguments)
            trained_models.setdefault(name, model)
        facts[name] = {
            "trained_on": circumstances(config, variant),
            "parameters": model.backbone.count_params(),
            "training_flops": training_flops(budget, model.backbone),
            "validation_losses": validation_losses(
                run_folder, min(budget.steps_per_epoch, budget.steps)
            ),
        }
    return rows, trained_models, facts


def measured(config, name, seed, steps, model, folders, protocol, run_folder):
    """The rows of one trained model: each method on each set.

    They are kept with the model, so that another experiment with the same sets and
    metrics finds them.

    Args:
        config: `Config`.
        name: Name of the variant.
        seed: Int, of the training.
        steps: Int, of `config.budget.measured_at`, or `None` for the last.
        model: The model after so many steps of training.
        folders: Dict of sets to pairs of folders.
        protocol: `Protocol`.
        run_folder: Path of the model's folder.
    """
    rows = []
    for line, variant_name, method in config.lines():
        if variant_name != name:
            continue
        calls = method.calls or config.calls
        if steps is not None:
            calls = [count for count in calls if count in config.earlier_calls]
        counts = [drawing.steps_of(model, method, count) for count in calls]
        counts = [count for count in counts if count is not None]
        options = {
            "samplers": (method.sampler,),
            "time_grids": (method.grid,),
            "time_shifts": (method.time_shift,),
            "seeds": config.noise_seeds,
        }
        for set_name, pair in folders.items():
            kept = "_".join([pair[0].parent.name, *config.metrics])
            if steps is not None:
                kept += f"_after_{steps}"
            out = run_folder / "measured" / kept
            table = evaluation.trade_off(
                model, pair, counts, **options, protocol=protocol, output_dir=out
            )
            keys = {
                "line": line,
                "variant": name,
                "held_out": set_name,
                "training_seed": seed,
                "training_steps": steps or config.budget.steps,
            }
            names = all_settings(model, counts, *options.values())
            for setting, row in zip(names, table, strict=True):
                images = evaluation.Table.from_json(
                    out / "settings" / f"{setting}.json"
                )
                rows.append({**keys, **row, "photographs": by_photograph(images)})
    return rows


def measured_tools(config, folders, protocol, shared):
    """Dict of classical tools to their scores: the means over the sets."""
    found = {}
    for tool in config.tools:
        tables = []
        for degraded, clean in folders.values():
            kept = "_".join([tool, *config.metrics]).replace(" ", "_")
            tables.append(
                evaluation.evaluate(
                    degraded.parent / tool,
                    clean,
                    protocol,
                    output_dir=shared / "tools" / degraded.parent.name / kept,
                )
            )
        found[tool] = {
            metric: float(np.mean([table.means[metric] for table in tables]))
            for metric in config.metrics
        }
    return found


def training_flops(budget, backbone):
    """Floating-point operations of a training; a step backward costs two forward."""
    forward = forward_flops(backbone, budget.crop_size)
    return 3 * forward * budget.steps * budget.batch_size


def make_smoke_extractor(folder):
    """Path of a model that turns images into features, in place of Inception-v3."""
    path = folder / "extractor.keras"
    if not path.exists():
        images = keras.Input((None, None, 3))
        features = keras.layers.GlobalAveragePooling2D()(images / 255.0)
        write_whole(path, keras.Model(images, features).save)
    return path
