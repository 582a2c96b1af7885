"""Prepare inputs on the host while the device computes."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def made_ahead(makers: Iterable[Callable[[], Made]]) -> Generator[Made]:
    """Yield the results of functions, each computed while the previous one is used.

    One thread calls the functions in order, so that random draws are the same as in a
    plain loop. NumPy releases the GIL while it draws. Close the generator if it may not
    be exhausted, to end the thread.

    Args:
        makers: Functions without arguments.
    """
    with ThreadPoolExecutor(1, "keras_indi_ahead") as thread:
        waiting = None
        for maker in makers:
            ready, waiting = waiting, thread.submit(maker)
            if ready is not None:
                yield ready.result()
        if waiting is not None:
            yield waiting.result()
