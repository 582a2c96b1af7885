"""Runs an experiment on photographs: train some models, measure each alike.

An experiment says what is compared, as a `Config` for each scale, and what the curves
tell, as a function that returns claims; `run` does the rest. All models of a comparison
are trained on the same images in the same order, with the same network and number of
steps, once for each seed.
"""

import dataclasses
import functools

import drawing
import harness
import keras
from held_out import data_folder, held_out_folders
from trainings import circumstances, forward_flops, trained
from verdicts import Curves

from keras_indi import evaluation
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
    centres = dataclasses.replace(config, tiles=False)
    shown = held_out_folders(centres, config.shown, root, options.shared)
    protocol = evaluation.Protocol(
        config.metrics, weights=options.weights, **conventions
    )
    rows, models, facts = [], {}, {}
    for name, variant in config.variants.items():
        for seed in config.budget.seeds:
            model, run_folder = trained(
                config, variant, seed, root, options.shared / "models"
            )
            models.setdefault(name, model)
            rows += measured(config, name, seed, model, folders, protocol, run_folder)
        facts[name] = {
            "trained_on": circumstances(config, variant),
            "parameters": model.backbone.count_params(),
            "training_flops": training_flops(config.budget, model.backbone),
        }
    curves = Curves(rows, extra(config, root, protocol) if extra else {})
    figure = drawing.draw_curves(config, curves, folder / "curves.png")
    draw_pictures(config, models, {**folders, **shown}, folder / "pictures.png")
    protocol_facts = {
        "metrics": protocol.without_folders(),
        "training_seeds": config.budget.seeds,
        "noise_seeds": config.noise_seeds,
        "training_images": config.budget.steps * config.budget.batch_size,
        "variants": facts,
        "ema_momentum": 0.9999,
    }
    return harness.Findings(
        protocol_facts,
        {"rows": rows, **curves.extra},
        claims(config, curves, figure),
    )


def measured(config, name, seed, model, folders, protocol, run_folder):
    """The rows of one trained model: each method on each set.

    They are kept with the model, so that another experiment with the same sets and
    metrics finds them.
    """
    rows = []
    for line, variant_name, method in config.lines():
        if variant_name != name:
            continue
        steps = [
            drawing.steps_of(model, method, calls)
            for calls in method.calls or config.calls
        ]
        for set_name, pair in folders.items():
            kept = "_".join([pair[0].parent.name, *config.metrics])
            table = evaluation.trade_off(
                model,
                pair,
                [count for count in steps if count is not None],
                samplers=(method.sampler,),
                time_grids=(method.grid,),
                seeds=config.noise_seeds,
                protocol=protocol,
                output_dir=run_folder / "measured" / kept,
            )
            keys = {
                "line": line,
                "variant": name,
                "held_out": set_name,
                "training_seed": seed,
            }
            rows += [{**keys, **row} for row in table]
    return rows


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
