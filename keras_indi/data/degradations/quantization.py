"""Quantization to the levels of a file with a number of bits."""

import keras
import numpy as np

from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_integer


@keras.saving.register_keras_serializable(package="keras_indi")
class Quantization(Degradation):
    """Clip the image to its value range and round it to the levels of a file.

    Use it with float images after noise, to also train on noise as stored in 8-bit
    files, besides noise that exceeds the value range. Images from files with the same
    number of bits do not change.

    Args:
        bits: Int from 1 to 16. The image keeps `2**bits` levels, including black and
            white. Defaults to 8.

    Example:

    >>> degradations = keras_indi.data.degradations
    >>> degrade = degradations.Compose(
    ...     [degradations.GaussianNoise(25), degradations.Quantization()]
    ... )
    """

    def __init__(self, bits: int = 8) -> None:
        self.bits = checked_integer("bits", bits, most=16)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return quantized(image, 2**self.bits - 1)


def quantized(image: np.ndarray, levels: int) -> np.ndarray:
    """Clip an image to [0, 1] and round it, as a file of integers stores it.

    Args:
        image: float32 array.
        levels: Number of steps from black to white.

    Returns:
        float32 array of the same shape.
    """
    steps = np.float32(levels)
    return np.rint(np.clip(image, 0, 1) * steps) / steps
