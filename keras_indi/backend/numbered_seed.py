"""Stateless seeds of numbered draws."""

from typing import Any

import keras
import numpy as np
from keras import ops


class NumberedSeed(keras.random.SeedGenerator):
    """A stateless seed that may be a tensor in a compiled function.

    `keras.random` only supports ints and seed generators, and those have a state.

    Args:
        seed: Int.
        number: Int or scalar int tensor >= 0, the number of the draw.
        dtype: The dtype of a `keras.random.SeedGenerator`'s state.
    """

    def __init__(self, seed: int, number: Any, dtype: str) -> None:
        start = np.array(seed % 2**32, "uint32").astype(dtype)
        self._pair = ops.stack([ops.convert_to_tensor(start), ops.cast(number, dtype)])

    def next(self, ordered: bool = True) -> Any:
        return self._pair
