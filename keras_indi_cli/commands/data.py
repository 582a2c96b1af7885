"""`keras-indi data`: commands for image data sets."""

import click

from keras_indi_cli.commands import data_check, data_prepare


@click.group()
def command():
    """Check pairs of images, and prepare photographs for training.

    Example: keras-indi data check noisy clean
    """


command.add_command(data_check.command, "check")
command.add_command(data_prepare.command, "prepare")
