"""Seeds of TensorFlow's generators, which KerasCV's layers use on any backend."""

from collections.abc import Iterable
from typing import Any


def reseed_tensorflow(global_seed: int, seed: int, values: Iterable[Any]) -> None:
    """Seed TensorFlow's random generators.

    Args:
        global_seed: Int, seed of TensorFlow's global generator.
        seed: Int, seed of each generator in `values`.
        values: Iterable of any objects, such as a layer's attributes.
    """
    import tensorflow as tf

    tf.random.set_seed(global_seed)
    for value in values:
        if isinstance(value, tf.random.Generator):
            value.reset_from_seed(seed)
