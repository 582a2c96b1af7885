"""Messages of interrupted commands."""

import contextlib
import signal

import click


@contextlib.contextmanager
def interruptible(context, message):
    """A context that ends the command with a message when it is interrupted.

    By Ctrl-C, or by SIGTERM or SIGHUP, which a service, a container or a closed
    terminal sends.

    Args:
        context: `click.Context`.
        message: Function that returns how far the command came and how to continue.
    """
    # Not above: help and usage errors come without Keras.
    from keras_indi.backend.interrupts import interrupted_by_signals

    try:
        with interrupted_by_signals():
            yield
    except KeyboardInterrupt as interrupt:
        number = getattr(interrupt, "signal", signal.SIGINT)
        click.echo(f"\nInterrupted by {number.name}. {message()}", err=True)
        context.exit(128 + number)
