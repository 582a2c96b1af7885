"""The options of the commands that restore files."""

import re

import click

from keras_indi_cli.commands.names import RegisteredName, with_options

UNITS = {"": 1, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}


class Bytes(click.ParamType):
    """A number of bytes, as people write it: 2GB, 1.5 GiB, 500M."""

    name = "size"

    def convert(self, value, parameter, context):
        if isinstance(value, int):
            return value
        found = re.fullmatch(r"([\d.]+)\s*([KMGT]?)(I?)B?", value.strip().upper())
        try:
            number, unit, binary = found.groups()
            factor = UNITS[unit]
            if binary:
                factor = 1024 ** list(UNITS).index(unit)
            size = int(float(number) * factor)
        except (AttributeError, ValueError, OverflowError):
            size = 0
        if size < 1:
            self.fail(
                f"{value!r} is not a size such as 2GB or 500MB.", parameter, context
            )
        return size


class TileSize(click.ParamType):
    """`auto`, `none` or a number of pixels."""

    name = "tile"

    def convert(self, value, parameter, context):
        if value in ("auto", None):
            return value
        if value == "none":
            return None
        return click.IntRange(min=1).convert(value, parameter, context)


SAMPLING = [
    click.option(
        "--steps",
        type=click.IntRange(min=1),
        metavar="N",
        help="Number of restoration steps. 1 is closest to the original, more are "
        "sharper. [default: the preset's]",
    ),
    click.option(
        "--sampler",
        type=RegisteredName("samplers"),
        help="Update rule. [default: the preset's]",
    ),
    click.option(
        "--time-grid",
        type=RegisteredName("time_grids"),
        help="Times of the steps. [default: the preset's]",
    ),
    click.option(
        "--time-shift",
        type=click.FloatRange(min=0, min_open=True),
        metavar="K",
        help="Evaluate the network at time min(1, K t). Values above 1, such as 1.5, "
        "reduce grain in many steps; 1 is no shift. [default: the preset's]",
    ),
    click.option(
        "--scale",
        type=click.IntRange(min=1),
        metavar="1|N",
        help="Enlargement factor: the preset's, or 1 for images that are already "
        "enlarged. [default: the preset's, such as 4 for super_resolution_x4]",
    ),
]

FILES = [
    click.option(
        "--name",
        metavar="TEMPLATE",
        help="Output names, such as '{name}_x4'. [default: the inputs', with -restored "
        "beside them]",
    ),
    click.option(
        "--value-range",
        type=float,
        nargs=2,
        metavar="LOW HIGH",
        help="Values of black and white in TIFF and Zarr files of floats. "
        "[default: 0 1]",
    ),
    click.option(
        "--clip",
        is_flag=True,
        help="Clip floats outside the value range, and report it. They are an error "
        "otherwise.",
    ),
    click.option(
        "--quality",
        type=click.IntRange(1, 100),
        metavar="Q",
        help="Quality of JPEG and WebP outputs, 1 to 100. [default: JPEG 90, or the "
        "input's if higher; WebP 95]",
    ),
    click.option(
        "--max-pixels",
        type=click.IntRange(min=1),
        metavar="N",
        help="Maximum number of pixels in an image. [default: no limit, except for "
        "files that declare far more than they hold]",
    ),
]


def sampling_options(command):
    """Decorator that adds the sampling options."""
    return with_options(SAMPLING, command)


def file_options(command):
    """Decorator that adds the options for naming and reading files."""
    return with_options(FILES, command)
