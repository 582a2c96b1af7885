"""`keras-indi data prepare`: large photographs, cut once into sub-images."""

import pathlib
import sys

import click

from keras_indi_cli.commands.interruption import interruptible


@click.command()
@click.argument("clean", type=click.Path(path_type=pathlib.Path))
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    help="Output directory.",
)
@click.option(
    "--degraded",
    type=click.Path(path_type=pathlib.Path),
    metavar="DIRECTORY",
    help="Folder of degraded images, of the same names. The output directory then gets "
    "the folders degraded and clean.",
)
@click.option(
    "--size",
    type=click.IntRange(min=1),
    default=256,
    show_default=True,
    help="Height and width of the sub-images, in pixels.",
)
@click.option(
    "--overlap",
    type=click.IntRange(min=0),
    default=32,
    show_default=True,
    help="Pixels that neighbouring sub-images share.",
)
@click.option(
    "--num-workers",
    type=click.IntRange(min=1),
    help="Number of threads. [default: number of processors]",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    help="Maximum number of pixels in an image; larger ones are not cut. "
    "[default: 89 megapixels]",
)
@click.pass_context
def command(context, clean, output, degraded, size, overlap, num_workers, max_pixels):
    """Cut the photographs of the folder CLEAN into sub-images.

    Training on large photographs is faster when it reads sub-images. An interrupted
    command continues where it stopped: existing sub-images are kept.

    The exit status is 0 if every image was cut, 1 if some could not be, 2 for bad
    options.

    Example: keras-indi data prepare photographs -o prepared --size 256 --overlap 32
    """
    from keras_indi.data.preparation import prepare

    message = "Run the same command again to continue where it stopped."
    with interruptible(context, lambda: message):
        result = prepare(
            clean,
            output,
            degraded,
            size=size,
            overlap=overlap,
            num_workers=num_workers,
            max_pixels=max_pixels,
            verbose=int(sys.stdout.isatty()),
        )
    click.echo(
        f"{result.written} sub-images written to {output}, "
        f"{result.present} existed already"
    )
    for name, reason in result.failed.items():
        click.echo(f"not cut: {name}: {reason}", err=True)
    sys.exit(bool(result.failed))
