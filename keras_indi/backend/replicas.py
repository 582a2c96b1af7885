"""The replicas of one training, and draws that differ between them."""

import contextlib
from typing import Any

import keras
from keras import ops

from keras_indi.backend import processes

# The distance between the seeds of two replicas: a prime, so that seeds given by users,
# 0, 1, 2 and so on, do not meet them.
SEED_DISTANCE = 1_000_003


def replica_index() -> Any:
    """The number of the replica that this code runs in.

    Returns:
        Int tensor within a `tf.distribute` strategy; int rank of a process group of
        PyTorch; else 0. A JAX program is one for all its devices, so that its draws
        differ by themselves.
    """
    context = _replica_context()
    if context is not None:
        return context.replica_id_in_sync_group
    # A JAX program is one for all its devices.
    return processes.process_index() if keras.config.backend() == "torch" else 0


def first_number(seen: Any, size: Any) -> Any:
    """The number of the first pair of a batch in an evaluation of all replicas.

    Args:
        seen: Scalar int tensor, how many pairs this replica has seen before.
        size: Int or scalar int tensor, how many are in its part of the batch.

    Returns:
        Scalar int tensor: the pairs of earlier batches, and of this one in the parts
        before this replica's, of a `tf.distribute` strategy; else `seen`.
    """
    context = _replica_context()
    if context is None:
        return seen
    own = context.replica_id_in_sync_group
    indices = ops.arange(context.num_replicas_in_sync)
    sizes = ops.where(indices == own, size, 0)
    # As floats, which TensorFlow reduces on any device.
    counts = ops.cast(ops.concatenate([ops.reshape(seen, (1,)), sizes]), "float32")
    counts = ops.cast(context.all_reduce("SUM", counts), "int32")
    return counts[0] + ops.sum(ops.where(indices < own, counts[1:], 0))


def _replica_context():
    """That of a `tf.distribute` strategy of several replicas, or `None`."""
    if keras.config.backend() != "tensorflow":
        return None
    import tensorflow as tf

    context = tf.distribute.get_replica_context()
    several = context is not None and context.num_replicas_in_sync > 1
    return context if several else None


def scope_of(model: Any) -> contextlib.AbstractContextManager[Any]:
    """The context in which a model's variables are made, for all of its replicas.

    Args:
        model: `keras.Model`.
    """
    strategy = getattr(model, "distribute_strategy", None)  # TensorFlow's
    return contextlib.nullcontext() if strategy is None else strategy.scope()


def is_multi_worker(model: Any) -> bool:
    """Whether a model was made under TensorFlow's `MultiWorkerMirroredStrategy`.

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

    In the first replica, and where there is one, its seeds are those of
    `keras.random.SeedGenerator`.
    """

    def next(self, ordered: bool = True) -> Any:
        seed = super().next(ordered)
        index = replica_index()
        if isinstance(index, int) and index == 0:
            return seed
        offset = ops.cast(index, seed.dtype) * SEED_DISTANCE
        return seed + offset * ops.cast([1, 0], seed.dtype)
