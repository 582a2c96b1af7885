"""TensorFlow's random generators, which layers of KerasCV draw from on any backend."""

from collections.abc import Iterable
from typing import Any


def reseed_tensorflow(global_seed: int, seed: int, values: Iterable[Any]) -> None:
    """Set what draws in TensorFlow.

    Args:
        global_seed: Int, of TensorFlow's global generator.
        seed: Int, of each generator among `values`.
        values: Iterable of anything, such as a layer's attributes.
    """
    import tensorflow as tf

    tf.random.set_seed(global_seed)
    for value in values:
        if isinstance(value, tf.random.Generator):
            value.reset_from_seed(seed)
