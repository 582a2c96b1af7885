"""Making on the host what the device will need next, while it computes."""

from collections.abc import Callable, Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

Made = TypeVar("Made")


def made_ahead(makers: Iterable[Callable[[], Made]]) -> Generator[Made]:
    """Yield what functions return, each called while the one before is used.

    One thread calls them, one after another and in their order, so that random
    draws are those of a plain loop. NumPy draws without holding up other threads.
    Close it where it may not be used up: the thread ends then.

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
