"""`keras-indi evaluate`: scores of restored images from any system."""

import click

from keras_indi_cli.commands.interruption import interruptible
from keras_indi_cli.commands.names import import_modules, import_option
from keras_indi_cli.commands.protocol_options import (
    FOLDER,
    MAX_PIXELS,
    OUTPUT,
    dates_in,
    finish,
    how_to_continue,
    make_protocol,
    protocol_options,
)


@click.command()
@click.option(
    "--restored", type=FOLDER, required=True, help="Folder of restored images."
)
@click.option("--clean", type=FOLDER, required=True, help="Folder of clean images.")
@click.option(
    "-o",
    "--output",
    type=OUTPUT,
    help="Output directory. [default: print the scores only]",
)
@MAX_PIXELS
@import_option
@protocol_options
@click.pass_context
def command(context, restored, clean, output, max_pixels, modules, **options):
    """Score restored images, of any system, against clean ones.

    Images are paired by their path inside the folders, without the extension. The
    output directory gets evaluation.csv, evaluation.json (with the protocol and the
    versions) and evaluation.png, a plot of the scores. An interrupted command continues
    where it stopped. The exit status is 1 if some images could not be scored; they are
    named, and left out of the means.

    \b
    Example: keras-indi evaluate --restored results --clean photographs \\
                 --metrics psnr,ssim,lpips_alex --output scores
    """
    import_modules(modules)
    from keras_indi import evaluation

    protocol = make_protocol(**options)
    before = dates_in(output)
    with interruptible(context, lambda: how_to_continue(output)):
        table = evaluation.evaluate(
            restored,
            clean,
            protocol,
            output_dir=output,
            warn=False,
            max_pixels=max_pixels,
        )
    click.echo(f"\n{table}\n\nMeasured: {protocol}")
    finish(context, table, output, before)
