"""Pure noise: a degraded image without any information on the clean one."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import parameters
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.data.degradations.gaussian_noise import GREY_LEVELS


@keras.saving.register_keras_serializable(package="keras_indi")
class PureNoise(Degradation):
    """Replace the image by Gaussian noise around mid-grey.

    This is the limit in which restoration becomes generation. The result depends only
    on the shape of the image. About a third of the values lie outside the value range.
    Floats keep them, and integers are clipped. Use floats: pass `dtype="float32"` and
    the model's `value_range` to `pairs_from_folders`.

    Args:
        sigma: Standard deviation in 8-bit grey levels, a number or a pair
            `(low, high)`. Defaults to 127.5, half the value range. In the range
            (-1, 1), the noise is then standard normal.

    Example:

    >>> degraded = keras_indi.data.degradations.PureNoise()(image, seed=0)
    """

    def __init__(self, sigma: NumberOrRange = 127.5) -> None:
        self.sigma = parameters.number_or_range(sigma, "sigma")

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        sigma = parameters.draw(self.sigma, generator) / GREY_LEVELS
        noise = generator.standard_normal(image.shape, dtype="float32")
        return 0.5 + np.float32(sigma) * noise
