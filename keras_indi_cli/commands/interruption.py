"""What a command says when it is interrupted."""

import contextlib
import signal

import click


@contextlib.contextmanager
def interruptible(context, message):
    """A context that ends the command with a message when it is interrupted.

    Args:
        context: `click.Context`.
        message: Function that returns how far the command came and how to continue.
    """
    try:
        yield
    except KeyboardInterrupt as interrupt:
        number = getattr(interrupt, "signal", signal.SIGINT)
        click.echo(f"\nInterrupted by {number.name}. {message()}", err=True)
        context.exit(128 + number)
