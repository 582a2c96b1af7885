"""The replicas of one training, and draws that differ between them."""

import contextlib
import sys
from typing import Any

import keras
from keras import ops

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
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        context = tf.distribute.get_replica_context()
        if context is not None and context.num_replicas_in_sync > 1:
            return context.replica_id_in_sync_group
    # A process group is there only where somebody has made one.
    if backend == "torch" and "torch.distributed" in sys.modules:
        from torch import distributed

        if distributed.is_available() and distributed.is_initialized():
            return distributed.get_rank()
    return 0


def scope_of(model: Any) -> contextlib.AbstractContextManager[Any]:
    """The context in which a model's variables are made, for all of its replicas.

    Args:
        model: `keras.Model`.
    """
    strategy = getattr(model, "distribute_strategy", None)  # TensorFlow's
    return contextlib.nullcontext() if strategy is None else strategy.scope()


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
