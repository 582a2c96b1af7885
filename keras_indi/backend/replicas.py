"""Replicas of a training, and random draws that differ between them."""

import contextlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.backend import processes

# The distance between the seeds of two replicas: a prime, so that they do not collide
# with the seeds of users: 0, 1, 2 and so on.
SEED_DISTANCE = 1_000_003


def replica_index() -> Any:
    """Return the index of the replica that this code runs in.

    Returns:
        Int tensor in a `tf.distribute` strategy; the int rank in a process group of
        PyTorch; else 0. A JAX program is a single program for all its devices, so its
        draws differ anyway.
    """
    context = _replica_context()
    if context is not None:
        return context.replica_id_in_sync_group
    # A JAX program is one for all its devices.
    return processes.process_index() if keras.config.backend() == "torch" else 0


def first_number(seen: Any, size: Any) -> Any:
    """Return the index of a replica's first pair in an evaluation on all replicas.

    Args:
        seen: Scalar int tensor, number of pairs that this replica has seen before.
        size: Int or scalar int tensor, number of pairs in its part of the batch.

    Returns:
        Scalar int tensor. In a `tf.distribute` strategy, the number of pairs in earlier
        batches plus those of earlier replicas in this batch; else `seen`.
    """
    context = _replica_context()
    if context is None:
        return seen
    own = context.replica_id_in_sync_group
    indices = ops.arange(context.num_replicas_in_sync)
    sizes = ops.where(indices == own, size, 0)
    # As floats: TensorFlow reduces them on any device.
    counts = ops.cast(ops.concatenate([ops.reshape(seen, (1,)), sizes]), "float32")
    counts = ops.cast(context.all_reduce("SUM", counts), "int32")
    return counts[0] + ops.sum(ops.where(indices < own, counts[1:], 0))


def _replica_context():
    """Return the `tf.distribute` context of several replicas, or `None`."""
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    several = context is not None and context.num_replicas_in_sync > 1
    return context if several else None


def scope_of(model: Any) -> contextlib.AbstractContextManager[Any]:
    """Return the context for creating a model's variables on all its replicas.

    Args:
        model: `keras.Model`.
    """
    strategy = getattr(model, "distribute_strategy", None)  # TensorFlow's
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def num_replicas(model: Any) -> int:
    """Return the number of replicas of a model in its `tf.distribute` strategy, or 1.

    Args:
        model: `keras.Model`.
    """
    strategy = getattr(model, "distribute_strategy", None)
    return 1 if strategy is None else strategy.num_replicas_in_sync


def is_multi_worker(model: Any) -> bool:
    """Return whether a model was built under `MultiWorkerMirroredStrategy`.

    Args:
        model: `keras.Model`.
    """
    strategy = getattr(model, "distribute_strategy", None)
    if strategy is None:
        return False
    import tensorflow as tf

    return isinstance(strategy, tf.distribute.MultiWorkerMirroredStrategy)


class ReplicaSeedGenerator(keras.random.SeedGenerator):
    """A seed generator whose seeds differ between replicas.

    In the first or only replica, the seeds are those of `keras.random.SeedGenerator`.

    Args:
        seed: Int >= 0, on every backend of any size, or `None`.
    """

    def __init__(self, seed: int | None = None) -> None:
        if seed is not None:
            seed = int(state_bits(seed))
        super().__init__(seed)

    def next(self, ordered: bool = True) -> Any:
        seed = super().next(ordered)
        index = replica_index()
        if isinstance(index, int) and index == 0:
            return seed
        offset = ops.cast(index, seed.dtype) * SEED_DISTANCE
        return seed + offset * ops.cast([1, 0], seed.dtype)


def state_bits(values: Any) -> np.ndarray:
    """Return seeds, or states of any backend, as the 32 bits of a state of this one.

    Args:
        values: Int, or array of ints.

    Returns:
        NumPy array of the values' shape.
    """
    bits = np.asarray(np.array(values, "object") % 2**32, "uint32")
    # PyTorch has no such dtype, and reads the bits of this one.
    return bits.astype("int32") if keras.config.backend() == "torch" else bits
