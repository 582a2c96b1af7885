"""Interrupts: what must not be broken off, and what other signals end as they do."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

# Ctrl-C; what a system sends that shuts down or wants a machine back; and what a
# closed terminal sends. (Windows has no third.)
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]


class Terminated(KeyboardInterrupt):
    """An interrupt by another signal than Ctrl-C's.

    Attributes:
        signal: `signal.Signals`.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """A context that a first interrupt reaches at its end, and a second at once.

    Python delivers interrupts to the main thread alone; in others this does nothing.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    handlers = {n: signal.getsignal(n) for n in SIGNALS}
    handlers = {n: handler for n, handler in handlers.items() if callable(handler)}
    received: list[tuple] = []

    def receive(number: int, frame: Any) -> None:
        received.append((number, frame))
        if len(received) > 1:
            handlers[number](number, frame)

    for number in handlers:
        signal.signal(number, receive)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        if received:
            number, frame = received[0]
            handlers[number](number, frame)


@contextlib.contextmanager
def interrupted_by_signals() -> Iterator[None]:
    """A context that SIGTERM and SIGHUP end as Ctrl-C does, by a `Terminated`.

    Those that the process ignores, as under `nohup`, or handles by itself, it goes on
    to. In other threads than the main one this does nothing.
    """
    changed = []

    def receive(number: int, frame: Any) -> None:
        raise Terminated(number)

    if threading.current_thread() is threading.main_thread():
        for number in SIGNALS:
            if signal.getsignal(number) is signal.SIG_DFL:
                signal.signal(number, receive)
                changed.append(number)
    try:
        yield
    finally:
        for number in changed:
            signal.signal(number, signal.SIG_DFL)
