"""Processes that were forked from one in which a backend runs."""

import os

import keras

_first: int | None = None  # the process in which a model was built first


def check_not_forked() -> None:
    """Raise a RuntimeError in a process forked from one in which models were built.

    The threads of a backend stay behind in a fork. What waits for them there, on any
    of the three, waits for ever.
    """
    global _first
    if _first is None:
        _first = os.getpid()
    if _first != os.getpid():
        raise RuntimeError(
            f"{keras.config.backend()} cannot compute in a process that was forked "
            "from one in which a model was built. Start processes with "
            "`multiprocessing.get_context('spawn')`, or build the first model in the "
            f"forked one. Received: process {os.getpid()}, forked from {_first}"
        )
