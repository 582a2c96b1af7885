"""Interrupts by Ctrl-C that wait until what must not be broken off is done."""

import contextlib
import signal
import threading
from collections.abc import Iterator


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """A context that a first interrupt reaches at its end, and a second at once.

    Python delivers interrupts to the main thread alone; in others this does nothing.
    """
    handler = signal.getsignal(signal.SIGINT)
    in_main = threading.current_thread() is threading.main_thread()
    if not (in_main and callable(handler)):
        yield
        return
    received: list[tuple] = []

    def receive(*arguments):
        received.append(arguments)
        if len(received) > 1:
            handler(*arguments)

    signal.signal(signal.SIGINT, receive)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, handler)
        if received:
            handler(*received[0])
