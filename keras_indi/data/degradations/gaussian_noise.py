"""Gaussian noise, as in the denoising benchmarks."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import parameters
from keras_indi.data.degradations.degradation import Degradation

GREY_LEVELS = 255  # the noise's unit: one level of an 8-bit image


@keras.saving.register_keras_serializable(package="keras_indi")
class GaussianNoise(Degradation):
    """Add independent Gaussian noise to each value.

    Args:
        sigma: Standard deviation in 8-bit grey levels, as in the benchmarks: 25 is
            25/255 of the value range, for every dtype. A number, or a pair
            `(low, high)` from which each call draws.

    Example:

    >>> noisy = keras_indi.data.degradations.GaussianNoise((0, 50))(image, seed=0)
    """

    def __init__(self, sigma: NumberOrRange = 25.0) -> None:
        self.sigma = parameters.number_or_range(sigma, "sigma")

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        sigma = parameters.draw(self.sigma, generator) / GREY_LEVELS
        noise = generator.standard_normal(image.shape, dtype="float32")
        return image + np.float32(sigma) * noise
