"""Gaussian blur."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import kernels, parameters
from keras_indi.data.degradations.blur import Blur


@keras.saving.register_keras_serializable(package="keras_indi")
class GaussianBlur(Blur):
    """Blur with a Gaussian that is truncated at 4 sigma, as in `scipy.ndimage`.

    Args:
        sigma: Standard deviation in pixels, a number or a pair `(low, high)` from
            which each call draws. 0 does not blur.
        linear_light: See `Blur`.

    Example:

    >>> blur = keras_indi.data.degradations.GaussianBlur((0.5, 2))
    >>> degraded = blur(image, seed=0)
    """

    def __init__(
        self, sigma: NumberOrRange = (0.5, 3.0), linear_light: bool = False
    ) -> None:
        super().__init__(linear_light)
        self.sigma = parameters.number_or_range(sigma, "sigma")

    @property
    def margin(self) -> int:
        """Radius of the largest kernel."""
        return kernels.gaussian_radius(parameters.largest(self.sigma))

    def kernel(self, generator: np.random.Generator) -> np.ndarray:
        return kernels.gaussian(parameters.draw(self.sigma, generator))
