"""Gaussian noise, as in the denoising benchmarks."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import kernels, parameters
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_bool

GREY_LEVELS = 255  # the noise's unit: one level of an 8-bit image


@keras.saving.register_keras_serializable(package="keras_indi")
class GaussianNoise(Degradation):
    """Add Gaussian noise to each value.

    Args:
        sigma: Standard deviation in 8-bit grey levels, as in the benchmarks: 25 is
            25/255 of the value range, for every dtype. A number, or a pair
            `(low, high)` from which each call draws.
        correlation: Standard deviation in pixels of the Gaussian filter that the noise
            passes, a number or a pair. 0, the default, is the noise of the benchmarks,
            independent in each pixel. Above 0, the noise of neighbouring pixels is
            alike, as after demosaicing, noise reduction in a camera, or resizing.
            `sigma` remains its standard deviation.
        monochromatic: Bool, whether the noise of all channels is the same, as in
            photographs without colours and on black-and-white film. Defaults to
            `False`.

    Example:

    >>> noisy = keras_indi.data.degradations.GaussianNoise((0, 50))(image, seed=0)
    >>> coarse = keras_indi.data.degradations.GaussianNoise(25, correlation=(0.3, 1.2))
    >>> noisy = coarse(image, seed=0)
    """

    def __init__(
        self,
        sigma: NumberOrRange = 25.0,
        correlation: NumberOrRange = 0.0,
        monochromatic: bool = False,
    ) -> None:
        self.sigma = parameters.number_or_range(sigma, "sigma")
        self.correlation = parameters.number_or_range(correlation, "correlation")
        self.monochromatic = checked_bool("monochromatic", monochromatic)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        sigma = parameters.draw(self.sigma, generator) / GREY_LEVELS
        correlation = parameters.draw(self.correlation, generator)
        around = 2 * kernels.gaussian_radius(correlation)
        height, width, channels = image.shape
        channels = 1 if self.monochromatic else channels
        shape = (height + around, width + around, channels)
        noise = generator.standard_normal(shape, dtype="float32")
        return image + np.float32(sigma) * kernels.correlated(noise, correlation)
