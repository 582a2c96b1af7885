"""Checks before training on several devices or in several processes."""

from typing import Any

import keras
import numpy as np

from keras_indi.backend import processes, replicas, several_devices


def check_strategy(model: keras.Model) -> None:
    """Raise a ValueError if Keras cannot train a model under its strategy.

    Args:
        model: `keras.Model`.
    """
    if replicas.is_multi_worker(model):
        raise ValueError(
            "Keras 3 does not support training under `MultiWorkerMirroredStrategy`. "
            "Use `tf.distribute.MirroredStrategy` for the devices of one machine, and "
            "`KERAS_BACKEND=jax` with `keras.distribution` for several machines. "
            "Received: a model made under MultiWorkerMirroredStrategy"
        )


def check_shares(x: Any, y: Any, batch_size: int | None) -> None:
    """Raise a ValueError unless all devices get equal parts of each batch.

    Args:
        x: Degraded images as an array, or a data source.
        y: Clean images, or `None` with a data source.
        batch_size: Int, as for `fit`, or `None`.
    """
    count = processes.process_count()
    shard = getattr(x, "shard", None)
    if isinstance(shard, tuple) and shard[1] != count:  # of `keras_indi.data.Pairs`
        raise ValueError(
            f"The pairs must be read in parts for the {count} processes that train "
            "together: make them after `keras.distribution.set_distribution`, or "
            "PyTorch's `init_process_group`, or pass their `shard`. Received: "
            f"pairs with shard={shard}"
        )
    divisor = several_devices.batch_divisor() // count
    if divisor == 1 or y is None:
        return
    number = np.shape(x)[0]
    several_devices.check_divides(min(batch_size or 32, number), divisor)
    if number % divisor:
        raise ValueError(
            f"The number of pairs must be a multiple of {divisor}, the devices that "
            f"share a batch: leave out {number % divisor}, or read them by "
            f"`keras_indi.data.make_pairs`. Received: {number} pairs"
        )


def check_predicts() -> None:
    """Raise a ValueError in a program of several processes, where `predict` fails."""
    count = processes.process_count()
    if keras.config.backend() == "jax" and count > 1:
        raise ValueError(
            "Keras's `predict` does not support several processes. Use `restore`, "
            "with which each process restores its own images; num_steps=1 returns the "
            f"same as `predict`. Received: {count} processes"
        )
