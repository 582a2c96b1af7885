"""Options for device and precision, shared by several commands."""

import contextlib

import click

device_option = click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "gpu"]),
    default="auto",
    show_default=True,
    help="Device to compute on; auto is a GPU where the backend sees one.",
)
dtype_option = click.option(
    "--dtype",
    type=click.Choice(["auto", "float32", "bfloat16"]),
    default="auto",
    show_default=True,
    help="Data type that the network computes in; auto is bfloat16 where that is "
    "faster.",
)


def on_device(device):
    """A context in which the backend computes on a device.

    (Before the process started, `keras_indi_cli.launcher` has hidden the GPUs
    from the backend for `cpu`.)

    Raises:
        ValueError: If it is "gpu" and there is none.
    """
    import keras

    from keras_indi.backend.compiled import devices

    found = [name for name in devices() if not name.startswith("cpu")]
    if device == "gpu" and not found:
        raise ValueError(
            f"{keras.config.backend()} finds no GPU; `keras-indi info` shows the "
            f"devices. Received: device={device!r}"
        )
    if device == "auto" or not found:
        return contextlib.nullcontext()
    return keras.device("cpu:0" if device == "cpu" else found[0])
