"""Checks before training on several devices or in several processes."""

import math
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
    optimizer = getattr(model, "optimizer", None)
    steps = getattr(optimizer, "gradient_accumulation_steps", None)
    count = replicas.num_replicas(model)
    if steps and count > 1:
        raise ValueError(
            "Keras does not accumulate gradients on several replicas. Use an "
            "optimizer without `gradient_accumulation_steps`, or "
            "`KERAS_BACKEND=jax` with `keras.distribution`. Received: "
            f"gradient_accumulation_steps={steps}, {count} replicas"
        )


def check_shares(model: keras.Model, x: Any, y: Any, arguments: dict[str, Any]) -> None:
    """Raise a ValueError unless all devices get equal parts of each batch.

    Args:
        model: `keras.Model`.
        x: Degraded images as an array, or a data source.
        y: Clean images, or `None` with a data source.
        arguments: Dict of the further arguments of `fit`.
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
    divisor = _num_shares(model)
    if divisor == 1:
        return
    batch_size = arguments.get("batch_size") or 32
    validated, held_out = arguments.get("validation_data"), 0
    if isinstance(validated, (tuple, list)):
        held_out = np.shape(validated[0])[0]
    if y is not None:
        number = np.shape(x)[0]
        split = arguments.get("validation_split") or 0.0
        if split and validated is None:
            held_out = number - math.floor(number * (1.0 - split))  # as Keras does
            number -= held_out
        _check_number("pairs", number, batch_size, divisor)
    if held_out:
        batch_size = arguments.get("validation_batch_size") or batch_size
        _check_evaluated(held_out, batch_size, divisor)


def check_evaluation(
    model: keras.Model, x: Any, y: Any, arguments: dict[str, Any]
) -> None:
    """Raise a ValueError unless all devices get a part of each batch of `evaluate`.

    Args:
        model: `keras.Model`.
        x: Degraded images as an array, or a data source.
        y: Clean images, or `None` with a data source.
        arguments: Dict of the further arguments of `evaluate`.
    """
    divisor = _num_shares(model)
    if divisor > 1 and y is not None:
        batch_size = arguments.get("batch_size") or 32
        _check_evaluated(np.shape(x)[0], batch_size, divisor)


def _num_shares(model):
    """Return the number of parts of a batch in this process."""
    divisor = several_devices.batch_divisor() // processes.process_count()
    return max(divisor, replicas.num_replicas(model))


def _check_evaluated(number, batch_size, divisor):
    # TensorFlow evaluates unequal parts, but none that are empty.
    unequal = keras.config.backend() == "tensorflow"
    _check_number("validation pairs", number, batch_size, divisor, unequal)


def _check_number(name, number, batch_size, divisor, unequal=False):
    batch_size = min(batch_size, number)
    several_devices.check_divides(batch_size, divisor)
    rest = number % batch_size
    part = -(-rest // divisor)
    if rest % divisor and not (unequal and rest > (divisor - 1) * part):
        raise ValueError(
            f"The number of {name} must be a multiple of {divisor}, the devices that "
            f"share a batch: leave out {number % divisor}, or read them by "
            f"`keras_indi.data.make_pairs`. Received: {number} {name}"
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
