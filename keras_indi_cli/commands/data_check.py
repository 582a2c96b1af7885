"""`keras-indi data check`: inspection of a data set before training."""

import pathlib
import sys

import click


@click.command()
@click.argument("degraded", type=click.Path(path_type=pathlib.Path))
@click.argument("clean", type=click.Path(path_type=pathlib.Path))
@click.option(
    "--max-shift",
    type=click.FloatRange(min=0),
    default=1.0,
    show_default=True,
    help="Pixels beyond which a pair counts as misaligned.",
)
@click.option(
    "--sheet",
    type=click.Path(dir_okay=False, path_type=pathlib.Path),
    default="contact_sheet.png",
    show_default=True,
    help="Output file: a picture of some pairs. An existing file is overwritten.",
)
@click.option(
    "--max-pixels",
    type=click.IntRange(min=1),
    metavar="N",
    help="Maximum number of pixels in an image; larger ones are reported. "
    "[default: 89 megapixels]",
)
def command(degraded, clean, max_shift, sheet, max_pixels):
    """Check the pairs of the folders DEGRADED and CLEAN.

    Counts sizes, channels and bits. Names files that are unreadable or have no
    partner, and pairs that are shifted against each other. Computes the PSNR of the
    degraded images, and draws some pairs with their difference. Changes no image.

    The exit status is 0 if the set is usable as it is, 1 if something needs fixing,
    2 if a folder is not found.

    Example: keras-indi data check train/noisy train/clean
    """
    from keras_indi.data.check import check_folders, crops_to_look_at
    from keras_indi.evaluation.plots import contact_sheet
    from keras_indi.images.whole_writes import write_encoded

    result = check_folders(
        degraded, clean, max_shift, max_pixels, verbose=int(sys.stdout.isatty())
    )
    click.echo(result.report())
    if result.pairs:
        rows = crops_to_look_at(result)
        picture = contact_sheet(
            list(rows.values()), ["degraded", "clean", "difference"]
        )
        write_encoded(sheet, picture.save)
        click.echo(f"Written: {sheet}, which shows from above: {', '.join(rows)}")
    click.echo(
        "usable"
        if result.usable
        else "not usable as it is: fix or remove these files, and check again"
    )
    sys.exit(not result.usable)
