"""`keras-indi info`: installed packages and the backend in use."""

import os

import click


@click.command()
def command():
    """Show backends, devices and versions, and which backend is used and why.

    Also shows the bfloat16 instructions of the CPU, the folder of the presets, and
    the packages that optional features need. Works without an installed backend.

    Example: keras-indi info
    """
    # What needs no package, `keras_indi_cli.launcher` has printed before.
    import keras

    from keras_indi.backend.compiled import devices
    from keras_indi.backend.precision import fastest_dtype
    from keras_indi.presets import PRESETS_FOLDER, list_presets

    click.echo(f"\nDevices of {keras.config.backend()}: {', '.join(devices())}")
    count = os.environ.get("KERAS_DISTRIBUTION_NUM_PROCESSES")
    if count is not None:
        number = os.environ.get("KERAS_DISTRIBUTION_PROCESS_ID")
        hosts = "KERAS_DISTRIBUTION_NUM_PROCESSES is set; only JAX supports it."
        if keras.config.backend() == "jax":
            hosts = (
                f"with `train --devices all` this is process {number} of {count}, "
                "from KERAS_DISTRIBUTION_NUM_PROCESSES and _PROCESS_ID."
            )
        click.echo(f"Hosts: {hosts}")
    click.echo(f"Restores in {fastest_dtype()} unless --dtype is given.")
    click.echo(f"Presets: {len(list_presets())} in {PRESETS_FOLDER}")
