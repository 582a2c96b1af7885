"""`keras-indi evaluate`: scores a folder of restored images, of any system."""

import pathlib

import click

from keras_indi.cli.protocol_options import make_protocol, protocol_options

FOLDER = click.Path(file_okay=False, exists=True, path_type=pathlib.Path)


@protocol_options
@click.command()
@click.option("--restored", type=FOLDER, required=True, metavar="DIR")
@click.option("--clean", type=FOLDER, required=True, metavar="DIR")
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=pathlib.Path),
    metavar="DIR",
    help="folder for evaluation.csv and evaluation.json (default: print alone)",
)
def evaluate(restored, clean, out, **options):
    """Score restored images, of any system, against clean ones.

    Images pair by their path inside the folders, without its ending. The JSON
    holds the protocol and the versions beside the figures. The exit status is 1
    if some images could not be scored.

    \b
    Example:
      keras-indi evaluate --restored results --clean photographs \\
          --metrics psnr,ssim,lpips_alex --out scores
    """
    from keras_indi import evaluation
    from keras_indi.evaluation.evaluate import failure_report

    protocol = make_protocol(options)
    with warnings_off():
        table = evaluation.evaluate(restored, clean, protocol, verbose=1)
