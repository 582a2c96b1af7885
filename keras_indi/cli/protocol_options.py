"""The options that say how to measure, the same in every command that does."""

import pathlib

import click

FOLDER = click.Path(file_okay=False, exists=True, path_type=pathlib.Path)
OUT = click.Path(file_okay=False, path_type=pathlib.Path)


class CommaSeparated(click.ParamType):
    """Values of one type with commas between.

    Args:
        item: A click type.
    """

    name = "list"

    def __init__(self, item=click.STRING):
        self.item = item

    def convert(self, value, parameter, context):
        if isinstance(value, tuple):
            return value
        return tuple(
            self.item.convert(text.strip(), parameter, context)
            for text in value.split(",")
        )


PROTOCOL = [
    click.option(
        "--metrics",
        type=CommaSeparated(),
        metavar="NAME,...",
        help="psnr, ssim, lpips_alex, lpips_squeeze, lpips_vgg, fid2048, fid768, "
        "kid2048, kid768. [default: psnr,ssim]",
    ),
    click.option(
        "--channel",
        type=click.Choice(["rgb", "y"]),
        help="y: PSNR and SSIM on the luma alone. [default: rgb]",
    ),
    click.option(
        "--crop-border",
        type=click.IntRange(min=0),
        metavar="PIXELS",
        help="Border that PSNR and SSIM leave out. [default: 0]",
    ),
    click.option(
        "--weights",
        multiple=True,
        metavar="NETWORK=PATH",
        help="Weights of alex, squeeze, vgg, inception2048 or inception768; once for "
        "each. [default: downloaded]",
    ),
    click.option(
        "--num-images",
        type=click.IntRange(min=1),
        help="The first images alone. [default: all]",
    ),
    click.option(
        "--protocol",
        type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
        metavar="JSON",
        help="Measure as this earlier result was, in place of the options above.",
    ),
]


def protocol_options(command):
    """Decorator that adds the options to a command's function."""
    for option in reversed(PROTOCOL):
        command = option(command)
    return command


def make_protocol(protocol, **options):
    """The `Protocol` that a command's options ask for.

    Args:
        protocol: Path of an earlier result, or `None`.
        **options: The other options of `PROTOCOL`.

    Raises:
        ValueError: If it is not valid, or `--protocol` does not stand alone.
    """
    from keras_indi.evaluation import Protocol, Table

    given = {name: value for name, value in options.items() if value not in (None, ())}
    if protocol is not None:
        if given:
            raise ValueError(
                "`--protocol` says all: leave the other options of the protocol out. "
                f"Received: --protocol={protocol}, and {', '.join(given)}"
            )
        return Table.from_json(protocol).protocol
    if "weights" in given:
        pairs = [text.partition("=") for text in given["weights"]]
        given["weights"] = {network: path for network, _, path in pairs}
    return Protocol(**given)


def finish(context, table, out):
    """Ends a command: says what was written, and what could not be scored.

    Args:
        context: The command's click context. The exit status is 1 if the table
            lacks images.
        table: `Table`.
        out: `pathlib.Path` of the folder of the results, or `None`.
    """
    for path in sorted(out.iterdir()) if out is not None else ():
        if path.is_file():
            click.echo(f"Written: {path}")
    if table.failures:
        click.echo(f"keras-indi: {table.failure_report()}", err=True)
        context.exit(1)
