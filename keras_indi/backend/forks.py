"""Detection of processes forked from one in which a backend runs."""

import os

import keras

_first: int | None = None  # the process that built the first model


def check_not_forked() -> None:
    """Raise a RuntimeError in a process forked after a model was built.

    A fork does not copy the threads of a backend. With any of the three backends, code
    that waits for them in the fork hangs forever.
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
