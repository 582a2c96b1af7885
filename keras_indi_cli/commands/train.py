"""`keras-indi train`: training of a restorer."""

import contextlib
import pathlib
import sys
from typing import Any

import click

from keras_indi_cli.commands.device import device_option, on_device
from keras_indi_cli.commands.interruption import interruptible
from keras_indi_cli.commands.names import import_modules, import_option
from keras_indi_cli.package_files import registered_names

FOLDER = click.Path(file_okay=False, exists=True)


class YAML(click.ParamType):
    """A value that may be more than text, as in the configuration file."""

    name = "yaml"

    def convert(
        self,
        value: Any,
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> Any:
        try:
            import yaml
        except ImportError:
            self.fail('needs PyYAML: pip install "keras-indi[cli]"', param, ctx)
        try:
            return yaml.safe_load(value)
        except yaml.YAMLError as error:
            self.fail(f"{value!r} is not valid YAML: {error}", param, ctx)


def names(registry: str) -> str:
    """Return the names in a registry, for a help text."""
    return ", ".join(registered_names(registry))


@click.command()
@click.option(
    "--config",
    type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
    metavar="FILE.yaml",
    help="YAML configuration file, with the options' names and underscores in place of "
    "hyphens. Options override it.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(file_okay=False),
    help="Output directory. Required, here or in the configuration file.",
)
@click.option("--clean", type=FOLDER, help="Folder of clean images.")
@click.option(
    "--degraded", type=FOLDER, help="Folder of degraded images, of the same names."
)
@click.option(
    "--degradation",
    type=YAML(),
    metavar="NAME|YAML",
    help="In place of --degraded, how to degrade the clean images: "
    f"{names('degradations')}; or with arguments, such as "
    '"{name: gaussian_noise, sigma: [5, 50]}".',
)
@click.option("--validation-clean", type=FOLDER, help="Clean validation images.")
@click.option(
    "--validation-degraded",
    type=FOLDER,
    help="Degraded validation images, of the same names.",
)
@click.option(
    "--preset",
    metavar="NAME|PATH",
    help="Model to start from: a preset or a .keras file. [default: a new network]",
)
@click.option(
    "--network",
    type=YAML(),
    metavar="YAML",
    help="Arguments of UNetBackbone for a new network, such as "
    '"{base_channels: 32}". [default: that of the shipped presets]',
)
@click.option(
    "--time-distribution",
    type=YAML(),
    metavar="NAME|YAML",
    help=f"p(t): {names('time_distributions')}. [default: the preset's, or uniform]",
)
@click.option(
    "--noise-schedule",
    type=YAML(),
    metavar="EPS|YAML",
    help="Noise level eps for images in [-1, 1], where 0.01 is 1.275 grey levels of "
    f"255, or {names('noise_schedules')}. [default: the preset's, or 0]",
)
@click.option(
    "--own-states",
    type=float,
    metavar="SHARE",
    help="Share of training states that the model makes itself, such as 0.75 for the "
    "end of a training. [default: the preset's, or 0]",
)
@click.option(
    "--scale",
    type=int,
    metavar="N",
    help="For super-resolution: clean images are N times larger each way, and the "
    "model enlarges by N. [default: the preset's, or 1]",
)
@click.option("--batches", type=int, help="Batches to train on. [default: 10000]")
@click.option(
    "--batches-per-epoch",
    type=int,
    help="Batches between validations, checkpoints and lines of the log. "
    "[default: 250]",
)
@click.option("--batch-size", type=int, help="Crops in a batch. [default: 16]")
@click.option(
    "--crop-size",
    type=int,
    metavar="PIXELS",
    help="Height and width of the training crops. [default: 64]",
)
@click.option(
    "--max-pixels",
    type=int,
    metavar="N",
    help="Maximum number of pixels in an image; larger ones are skipped. "
    "[default: 89 megapixels]",
)
@click.option(
    "--optimizer",
    type=click.Choice(["adam", "muon"]),
    help="Muon learns faster from scratch. [default: muon, or adam with --preset]",
)
@click.option(
    "--learning-rate",
    type=float,
    help="Step size of the optimizer. [default: 0.001 of muon, 0.0001 of adam]",
)
@click.option(
    "--learning-rate-schedule",
    type=click.Choice(["constant", "cosine"]),
    help="Learning rate over the training. [default: constant]",
)
@click.option(
    "--global-clipnorm",
    type=float,
    help="Maximum norm of the gradients. [default: no limit]",
)
@click.option(
    "--ema-momentum",
    type=float,
    help="Momentum of the moving average of the weights. [default: 0.9999]",
)
@click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    help="Data type that the network computes in. [default: auto]",
)
@click.option(
    "--tensorboard/--no-tensorboard",
    default=None,
    help="Write curves and previews for TensorBoard.",
)
@click.option(
    "--devices",
    type=click.Choice(["all"]),
    help="Train on all GPUs, which share each batch; with JAX, also on those of "
    "several machines. [default: one device]",
)
@click.option("--seed", type=int, help="Seed of weights, crops and noise. [default: 0]")
@device_option
@import_option
@click.pass_context
def command(context, config, device, modules, **flags):
    """Train a restorer on your own images, or fine-tune a preset.

    Training reads two folders of pairs, or one folder of clean images and a
    degradation. --output and --clean are required. The output directory gets
    config.yaml with all settings, training.csv and, at the end, restorer.keras and
    the folder preset, for `keras-indi restore --preset`. With validation images it
    also gets best.keras and previews.

    A backup is written every 100 batches. After Ctrl-C, SIGTERM, SIGHUP or a crash,
    the same command continues from the last one.

    \b
    Example: keras-indi train --degraded noisy --clean clean --output runs/noise
             keras-indi train --clean photographs --degradation jpeg_compression \\
                 --preset jpeg --output runs/jpeg
             keras-indi train --config train.yaml --batches 20000

    \b
    A train.yaml holds the same options:
      clean: photographs
      degradation: {name: jpeg_compression, quality: [10, 50]}
      output: runs/jpeg
    """
    if flags["devices"] and device != "auto":
        raise click.UsageError("Pass either --device or --devices.")
    import_modules(modules)
    from keras_indi.training import TrainingConfig, train
    from keras_indi.training.output_dir import MODEL
    from keras_indi.training.training_config import read_settings

    settings = {} if config is None else read_settings(config)
    settings |= {name: value for name, value in flags.items() if value is not None}
    settings = TrainingConfig.from_dict(settings)
    # To ask for devices would end the search for those of other machines.
    device = contextlib.nullcontext() if settings.devices else on_device(device)
    message = (
        f"Run the same command again to continue from the last backup in "
        f"{settings.output}, or from the start if there is no backup yet."
    )
    finished = (pathlib.Path(settings.output) / MODEL).is_file()
    with interruptible(context, lambda: message), device:
        path = train(settings, verbose="auto" if sys.stdout.isatty() else 2)
    if finished:
        click.echo("This training was finished before: nothing was done.")
    click.echo(f"Model: {path}\n\nUse it:\n")
    click.echo(f"    keras-indi restore photo.jpg --preset {path.parent / 'preset'}")
