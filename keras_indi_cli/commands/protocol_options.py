"""Options of the evaluation protocol, shared by several commands."""

import pathlib

import click

from keras_indi_cli.commands.names import names_option, with_options

FOLDER = click.Path(file_okay=False, exists=True, path_type=pathlib.Path)
OUTPUT = click.Path(file_okay=False, path_type=pathlib.Path)


MAX_PIXELS = click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    help="Maximum number of pixels in an image; larger ones are not scored. "
    "[default: 89 megapixels]",
)

PROTOCOL = [
    names_option(
        "--metrics", registry="metrics", help="Scores: {names}. [default: psnr,ssim]"
    ),
    click.option(
        "--channel",
        type=click.Choice(["rgb", "y"]),
        help="Channels of PSNR and SSIM: all, or the luma. [default: rgb]",
    ),
    click.option(
        "--crop-border",
        type=click.IntRange(min=0),
        metavar="PIXELS",
        help="Width of the border that PSNR and SSIM ignore. [default: 0]",
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
        help="Number of images to score, in order of name. [default: all]",
    ),
    click.option(
        "--protocol",
        type=click.Path(dir_okay=False, exists=True, path_type=pathlib.Path),
        metavar="JSON",
        help="Read the options above from an evaluation.json or trade_off.json.",
    ),
]


def protocol_options(command):
    """Decorator that adds the options to a command's function."""
    return with_options(PROTOCOL, command)


def make_protocol(protocol, **options):
    """Build the `Protocol` from a command's options.

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
                "`--protocol` sets the whole protocol: leave out its other options. "
                f"Received: --protocol={protocol}, and {', '.join(given)}"
            )
        return Table.from_json(protocol).protocol
    if "weights" in given:
        pairs = [text.partition("=") for text in given["weights"]]
        given["weights"] = {network: path for network, _, path in pairs}
    return Protocol(**given)


def how_to_continue(output):
    """Return the message of an interrupted command with an optional output."""
    if output is None:
        return "The scores were not saved: --output saves them, to continue later."
    return f"Scores are saved in {output}: run the same command again to continue."


def dates_in(output):
    """Return the dates of the files in an output directory, before a command.

    Args:
        output: `pathlib.Path` of the output directory, or `None`.

    Returns:
        Dict of paths to dates.
    """
    if output is None or not output.is_dir():
        return {}
    found = (path for path in output.iterdir() if path.is_file())
    return {path: path.stat().st_mtime_ns for path in found}


def finish(context, table, output, before):
    """End a command: print the outputs, and the images that could not be scored.

    Args:
        context: The command's click context. The exit status is 1 if the table
            lacks images.
        table: `Table`.
        output: `pathlib.Path` of the output directory, or `None`.
        before: Its `dates_in` before the command.
    """
    for path, date in sorted(dates_in(output).items()):
        if before.get(path) != date:
            click.echo(f"Written: {path}")
    if table.failures:
        click.echo(f"keras-indi: {table.failure_report()}", err=True)
        context.exit(1)
