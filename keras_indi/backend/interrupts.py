"""Deferred interrupts, and other signals as interrupts."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from typing import Any

# Ctrl-C; the signal of a shutdown or a preemption; and that of a closed terminal, which
# Windows does not have.
SIGNALS = [
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP")
    if hasattr(signal, name)
]


class Terminated(KeyboardInterrupt):
    """A `KeyboardInterrupt` from a signal other than that of Ctrl-C.

    Attributes:
        signal: `signal.Signals`.
    """

    def __init__(self, number: int) -> None:
        self.signal = signal.Signals(number)
        super().__init__(self.signal.name)


@contextlib.contextmanager
def deferred_interrupts() -> Iterator[None]:
    """A context that defers a first interrupt to its end, but not a second.

    Only affects the main thread, the only one that receives interrupts in Python.
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
    """A context in which SIGTERM and SIGHUP raise `Terminated`, like Ctrl-C.

    Signals that the process ignores, as under `nohup`, or handles itself are left
    alone. Has no effect outside the main thread.
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
