"""`keras-indi train`: a restorer of one's own."""

import pathlib
import sys

import click

from keras_indi.cli.device import device_option, on_device

FOLDER = click.Path(file_okay=False, exists=True)


def yaml_value(context, parameter, value):
    """A flag's value that may be more than text, as in the file."""
    from keras_indi.training.training_config import parse

    return None if value is None else parse(value)


@click.command()
@click.option(
    "--config",
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    metavar="FILE.yaml",
    help="Settings, by the names of the flags with underscores; flags go before it.",
)
@click.option("--out", type=click.Path(file_okay=False), help="Folder for the results.")
@click.option("--clean", type=FOLDER, help="Folder of clean images.")
@click.option(
    "--degraded", type=FOLDER, help="Folder of degraded images, of the same names."
)
@click.option(
    "--degradation",
    callback=yaml_value,
    metavar="NAME|YAML",
    help="In place of --degraded: jpeg_compression, gaussian_noise, ..., or "
    '"{name: gaussian_noise, sigma: [5, 50]}".',
)
@click.option("--validation-clean", type=FOLDER, help="Folder of clean images.")
@click.option("--validation-degraded", type=FOLDER, help="Folder of degraded images.")
@click.option(
    "--preset",
    metavar="NAME|PATH",
    help="What to start from: a preset or a .keras file. [default: a new network]",
)
@click.option(
    "--network",
    callback=yaml_value,
    metavar="YAML",
    help='Of a new network, such as "{base_channels: 32}". [default: the presets\']',
)
@click.option(
    "--time-distribution",
    callback=yaml_value,
    metavar="NAME|YAML",
    help="p(t). [default: the preset's, or uniform]",
)
@click.option(
    "--noise-schedule",
    callback=yaml_value,
    metavar="EPS|YAML",
    help="A fraction of the value range. [default: the preset's, or 0]",
)
@click.option(
    "--own-states",
    type=float,
    metavar="SHARE",
    help="Share of training states that the model makes itself, such as 0.75 for the "
    "end of a training. [default: the preset's, or 0]",
)
@click.option("--steps", type=int, help="Batches to train on. [default: 10000]")
@click.option(
    "--steps-per-epoch",
    type=int,
    help="Batches between validations, checkpoints and lines of the log. "
    "[default: 250]",
)
@click.option("--batch-size", type=int, help="[default: 16]")
@click.option("--crop-size", type=int, metavar="PIXELS", help="[default: 64]")
@click.option("--learning-rate", type=float, help="[default: 0.0001]")
@click.option(
    "--learning-rate-schedule",
    type=click.Choice(["constant", "cosine"]),
    help="[default: constant]",
)
@click.option(
    "--global-clipnorm", type=float, help="Clips the gradients. [default: no limit]"
)
@click.option(
    "--ema-momentum", type=float, help="Of the weights' average. [default: 0.9999]"
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    help="What the network computes in. [default: auto]",
)
@click.option(
    "--tensorboard/--no-tensorboard",
    default=None,
    help="Write curves and previews for TensorBoard.",
)
@click.option("--seed", type=int, help="[default: 0]")
@device_option
def command(config, device, **flags):
    """Train a restorer on your own images, or go on with one.

    Pairs come of two folders, or of one of clean images and a degradation. The
    folder OUT gets config.yaml with all settings, training.csv, best.keras and
    previews where there are validation images, and in the end restorer.keras and
    the folder preset, which `keras-indi restore --preset` takes. Interrupt it when
    you like: the same command goes on at the next batch.

    \b
    Example: keras-indi train --config train.yaml --steps 20000
             keras-indi train --clean photographs --degradation jpeg_compression
                 --preset indi_small_jpeg --out runs/jpeg

    \b
    with a train.yaml such as
      clean: photographs
      degradation: {name: jpeg_compression, quality: [10, 50]}
      out: runs/jpeg
    """
    from keras_indi.training import TrainingConfig, train
    from keras_indi.training.training_config import read_settings

    settings = {} if config is None else read_settings(config)
    settings |= {name: value for name, value in flags.items() if value is not None}
    settings = TrainingConfig.from_dict(settings)
    with on_device(device):
        path = train(settings, verbose="auto" if sys.stdout.isatty() else 2)
    click.echo(f"Model: {path}\n\nUse it:\n")
    click.echo(f"    keras-indi restore photo.jpg --preset {path.parent / 'preset'}")
