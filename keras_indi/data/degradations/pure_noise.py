"""Pure noise: the degraded image that holds nothing of the clean one."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import parameters
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.data.degradations.gaussian_noise import GREY_LEVELS


@keras.saving.register_keras_serializable(package="keras_indi")
class PureNoise(Degradation):
    """Put Gaussian noise around mid-grey in the image's place.

    The limit in which restoration is generation: the result does not depend on
    the image, only on its shape. Values leave the value range about once in
    three; floats keep them, integers are clipped, so use floats: of
    `pairs_from_folders`, `dtype="float32"` with the model's `value_range`.

    Args:
        sigma: Standard deviation in 8-bit grey levels, a number or a pair
            `(low, high)`. The default, 127.5, is half the value range: in the
            range (-1, 1) the noise is standard normal.

    Example:

    >>> degraded = keras_indi.data.degradations.PureNoise()(image, seed=0)
    """

    def __init__(self, sigma: NumberOrRange = 127.5) -> None:
        self.sigma = parameters.number_or_range(sigma, "sigma")

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        sigma = parameters.draw(self.sigma, generator) / GREY_LEVELS
        noise = generator.standard_normal(image.shape, dtype="float32")
        return 0.5 + np.float32(sigma) * noise
