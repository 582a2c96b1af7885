"""Processes that train one model together, and their synchronization."""

import os
import re
import sys
from collections.abc import Callable
from typing import Any

import keras

ADDRESSES = "KERAS_DISTRIBUTION_JOB_ADDRESSES"
COUNT = "KERAS_DISTRIBUTION_NUM_PROCESSES"
INDEX = "KERAS_DISTRIBUTION_PROCESS_ID"
ADDRESS = re.compile(r".+:\d+")


def process_index() -> int:
    """Return the index of this process among those that train together."""
    distribution = _of_several_processes()
    if distribution is not None:
        import jax

        return jax.process_index()
    group = _torch_group()
    return 0 if group is None else group.get_rank()


def process_count() -> int:
    """Return the number of processes that train together.

    Returns:
        Int: with JAX, the processes of the active `keras.distribution`; with PyTorch,
        those of the process group, if there is one; else 1.
    """
    distribution = _of_several_processes()
    if distribution is not None:
        return distribution.num_processes
    group = _torch_group()
    return 1 if group is None else group.get_world_size()


def is_first() -> bool:
    """Return whether this is the first of the processes that train together."""
    return process_index() == 0


def in_first(function: Callable[..., Any], *args: Any) -> None:
    """Call a function in the first process only, such as to write a shared file.

    During the call, the `keras.distribution` is unset. Otherwise Keras would wait for
    all processes to create the same variables.

    Args:
        function: Function of `args`.
        *args: Its arguments.
    """
    if not is_first():
        return
    distribution = _of_several_processes()
    if distribution is None:
        function(*args)
        return
    keras.distribution.set_distribution(None)
    try:
        function(*args)
    finally:
        keras.distribution.set_distribution(distribution)


def wait_for_all(what: str) -> None:
    """Wait until all processes that train together reach this point.

    Args:
        what: String, a name for the event, the same in all processes.
    """
    if process_count() == 1:
        return
    if keras.config.backend() == "jax":
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(what)
    else:
        _torch_group().barrier()


def begin() -> None:
    """Join the processes given by Keras's environment variables, if they are set.

    The variables are `KERAS_DISTRIBUTION_JOB_ADDRESSES`,
    `KERAS_DISTRIBUTION_NUM_PROCESSES` and `KERAS_DISTRIBUTION_PROCESS_ID`, as for
    `keras.distribution.initialize`. Requires JAX.

    Raises:
        ValueError: If a variable is not valid, one is missing that JAX cannot detect,
            or the backend is not JAX.
    """
    names = (ADDRESSES, COUNT, INDEX)
    given = {name: os.environ[name] for name in names if name in os.environ}
    if not given:
        return
    received = ", ".join(f"{name}={value!r}" for name, value in given.items())
    if keras.config.backend() != "jax":
        raise ValueError(
            "Keras trains on several hosts with JAX only: set KERAS_BACKEND=jax, or "
            f"unset the variables KERAS_DISTRIBUTION_*. Received: {received}"
        )
    addresses = given.get(ADDRESSES, "host:1").split(",")
    count, index = given.get(COUNT, "1"), given.get(INDEX, "0")
    numbers = count.isdecimal() and index.isdecimal()
    if numbers and COUNT in given:
        numbers = int(index) < int(count)
    if not numbers or not all(ADDRESS.fullmatch(text.strip()) for text in addresses):
        raise ValueError(
            f"{COUNT} must be the number of processes, {INDEX} a number from 0 to one "
            f"less, and {ADDRESSES} the address of process 0, such as 10.0.0.1:1234. "
            f"Received: {received}"
        )
    try:
        keras.distribution.initialize()
    except ValueError as error:
        missing = [name for name in names if name not in given]
        if not missing:
            raise
        raise ValueError(
            f"To train on several hosts, set {' and '.join(missing)} too. Received: "
            f"{received}"
        ) from error


def _of_several_processes() -> Any:
    """Return the active `keras.distribution` of several processes, or `None`."""
    if keras.config.backend() != "jax":
        return None
    distribution = keras.distribution.distribution()
    several = distribution is not None and distribution.num_processes > 1
    return distribution if several else None


def _torch_group() -> Any:
    """Return `torch.distributed` if there is a process group, else `None`."""
    if keras.config.backend() != "torch" or "torch.distributed" not in sys.modules:
        return None
    from torch import distributed

    there = distributed.is_available() and distributed.is_initialized()
    return distributed if there else None
