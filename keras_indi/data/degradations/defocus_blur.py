"""Defocus blur: a point out of focus becomes a disc."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import kernels, parameters
from keras_indi.data.degradations.blur import Blur


@keras.saving.register_keras_serializable(package="keras_indi")
class DefocusBlur(Blur):
    """Blur with a uniform disc that has an anti-aliased edge.

    Args:
        radius: Radius of the disc in pixels, a number or a pair `(low, high)` from
            which each call draws. A radius of up to 1/2 does not blur.
        linear_light: See `Blur`. With `True`, highlights become discs as in
            photographs.

    Example:

    >>> blur = keras_indi.data.degradations.DefocusBlur((1, 5))
    >>> degraded = blur(image, seed=0)
    """

    def __init__(
        self, radius: NumberOrRange = (1.0, 5.0), linear_light: bool = False
    ) -> None:
        super().__init__(linear_light)
        self.radius = parameters.number_or_range(radius, "radius")

    @property
    def margin(self) -> int:
        """Reach of the largest disc."""
        return kernels.disc_reach(max(parameters.largest(self.radius), 0.5))

    def kernel(self, generator: np.random.Generator) -> np.ndarray:
        return kernels.disc(parameters.draw(self.radius, generator))
