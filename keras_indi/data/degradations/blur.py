"""The base class of blurs."""

import numpy as np

from keras_indi.data.degradations import kernels
from keras_indi.data.degradations import linear_light as transfer
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_bool


class Blur(Degradation):
    """Base class of blurs that are uniform over the image.

    A subclass implements `kernel` and `margin`. The image is extended by reflection,
    without repeating the border pixel.

    Args:
        linear_light: Bool, whether to blur in linear light. Stored values are then
            assumed to be sRGB (see `linear_light.py`). Defaults to `False`.
    """

    def __init__(self, linear_light: bool = False) -> None:
        self.linear_light = checked_bool("linear_light", linear_light)

    def kernel(self, generator: np.random.Generator) -> np.ndarray:
        """Return the kernel of one call.

        Args:
            generator: A `numpy.random.Generator`.

        Returns:
            float32 array with sum 1 and odd sizes: `(rows, columns)`, or one axis that
            is used for both rows and columns.
        """
        raise NotImplementedError

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        kernel = self.kernel(generator)
        if not self.linear_light:
            return kernels.convolve(image, kernel)
        return transfer.from_light(kernels.convolve(transfer.to_light(image), kernel))
