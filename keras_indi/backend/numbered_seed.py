"""The seed of one of many numbered draws."""

from typing import Any

import keras
import numpy as np
from keras import ops


class NumberedSeed(keras.random.SeedGenerator):
    """A seed that may be a tensor of a compiled function, and stays what it is.

    `keras.random` takes ints and seed generators alone; this one has no state.

    Args:
        seed: Int.
        number: Int or scalar int tensor, at least 0: of the draw.
        dtype: The dtype of a `keras.random.SeedGenerator`'s state.
    """

    def __init__(self, seed: int, number: Any, dtype: str) -> None:
        start = np.array(seed % 2**32, "uint32").astype(dtype)
        self._pair = ops.stack([ops.convert_to_tensor(start), ops.cast(number, dtype)])

    def next(self, ordered: bool = True) -> Any:
        return self._pair
