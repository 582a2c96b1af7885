"""`keras-indi info`: what is installed, and what will run."""

import os

import click


@click.command()
def command():
    """Show backends, devices and versions, which backend runs and why.

    Also what bfloat16 instructions the CPU has, where the presets lie, and which
    optional parts lack what. Works where no backend is installed, and says so.

    Example: keras-indi info
    """
    import keras

    import keras_indi_environment
    from keras_indi.inference.compiled import devices
    from keras_indi.inference.precision import fastest_dtype
    from keras_indi.presets import PRESETS_FOLDER, list_presets

    for line in keras_indi_environment.report(os.environ):
        click.echo(line)
    click.echo(f"\nDevices of {keras.config.backend()}: {', '.join(devices())}")
    click.echo(f"Restores in {fastest_dtype()} unless --dtype says otherwise.")
    click.echo(f"Presets: {len(list_presets())} in {PRESETS_FOLDER}")
