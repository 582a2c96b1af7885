"""`keras-indi page`: restoring photographs in a browser."""

import click

from keras_indi_cli.commands.device import device_option, dtype_option, on_device


def limit_option(name, default, help):
    """An option for a whole number of at least 1."""
    kind = click.IntRange(min=1)
    return click.option(
        name, type=kind, default=default, show_default=True, metavar="N", help=help
    )


@click.command()
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Address to listen on. 0.0.0.0 opens the page to the whole network.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    default=7860,
    show_default=True,
    help="Port to listen on.",
)
@click.option(
    "--allowed-host",
    "allowed_hosts",
    multiple=True,
    metavar="NAME",
    help="Another name by which browsers may open a page that listens on this machine "
    "only, such as that of a proxy. Can be given several times.",
)
@click.option(
    "--preset",
    metavar="NAME|PATH",
    help="Preset chosen at the start, as for `keras-indi restore`. [default: blind]",
)
@limit_option(
    "--max-megapixels",
    24,
    "Maximum megapixels of a restored photograph, all its draws together.",
)
@limit_option("--max-megabytes", 100, "Maximum megabytes of an uploaded file.")
@limit_option(
    "--max-waiting", 8, "Maximum number of waiting restorations. More are refused."
)
@limit_option(
    "--max-kept-megabytes",
    10_000,
    "Maximum megabytes of all uploads and results that are kept.",
)
@limit_option("--keep-minutes", 60, "Minutes for which uploads and results are kept.")
@device_option
@dtype_option
def command(host, port, allowed_hosts, preset, keep_minutes, device, dtype, **limits):
    """Restore photographs in a browser.

    Runs until it is interrupted by Ctrl-C. Uploads and results are deleted after
    --keep-minutes and at the end. The page loads nothing from other hosts, and only
    this machine can open it unless --host is given. Requires
    pip install "keras-indi[page]".

    \b
    Example: keras-indi page
             keras-indi page --port 8000 --preset super_resolution_x4
    """
    from keras_indi.page import Limits, serve

    limits = Limits(**limits, keep_seconds=60 * keep_minutes)
    with on_device(device):
        serve(preset, host, port, limits, dtype, allowed_hosts)
