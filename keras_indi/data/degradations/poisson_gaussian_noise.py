"""Camera noise: shot noise, which increases with light, and read noise."""

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import kernels, parameters
from keras_indi.data.degradations import linear_light as transfer
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_bool


@keras.saving.register_keras_serializable(package="keras_indi")
class PoissonGaussianNoise(Degradation):
    """Shot noise (Poisson) and read noise (Gaussian) of a sensor.

    A value v in units of the value range (1 is white) becomes
    `(Poisson(v white) + read_noise n) / white` with n standard normal. Its mean is v
    and its variance `v / white + (read_noise / white)^2`. Values below black have no
    shot noise.

    Args:
        white: Number of electrons that a white pixel collects. Fewer electrons mean
            more noise. About 10000 for a phone in daylight, and a few hundred at
            dusk. A number of at least 1, or a pair `(low, high)` from which each
            call draws.
        read_noise: Standard deviation of the read noise in electrons, a number or a
            pair. About 1 to 10 in modern sensors.
        linear_light: Bool, whether to add noise in linear light. Stored values are
            then assumed to be sRGB (see `linear_light.py`). Values that noise moves
            below black remain negative. Defaults to `False`.
        correlation: As of `GaussianNoise`: above 0, the noise of neighbouring pixels
            is alike, with the same variance where the image is even.
        monochromatic: Bool, whether the noise of all channels is the same: that of a
            sensor without colours, which sees their mean. Defaults to `False`.

    Example:

    >>> noise = keras_indi.data.degradations.PoissonGaussianNoise((50, 2000), (0, 8))
    >>> degraded = noise(image, seed=0)

    Reference:
        A. Foi et al., Practical Poissonian-Gaussian Noise Modeling and Fitting
        for Single-Image Raw-Data, IEEE Transactions on Image Processing, 2008.
    """

    def __init__(
        self,
        white: NumberOrRange = (200.0, 2000.0),
        read_noise: NumberOrRange = (1.0, 5.0),
        linear_light: bool = False,
        correlation: NumberOrRange = 0.0,
        monochromatic: bool = False,
    ) -> None:
        self.white = parameters.number_or_range(white, "white", least=1.0)
        self.read_noise = parameters.number_or_range(read_noise, "read_noise")
        self.linear_light = checked_bool("linear_light", linear_light)
        self.correlation = parameters.number_or_range(correlation, "correlation")
        self.monochromatic = checked_bool("monochromatic", monochromatic)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        white = parameters.draw(self.white, generator)
        read_noise = parameters.draw(self.read_noise, generator)
        correlation = parameters.draw(self.correlation, generator)
        light = transfer.to_light(image) if self.linear_light else image
        radius = kernels.gaussian_radius(correlation)
        around = np.pad(light, [(radius, radius)] * 2 + [(0, 0)], "symmetric")
        around = np.maximum(around, 0.0)
        seen = around.mean(-1, keepdims=True) if self.monochromatic else around
        electrons = generator.poisson(seen * white)
        noise = generator.standard_normal(seen.shape, dtype="float32")
        noisy = ((electrons + read_noise * noise) / white).astype("float32")
        if radius or self.monochromatic:
            noise = kernels.correlated(noisy - seen, correlation)
            noisy = np.maximum(light, 0.0) + noise
        return transfer.from_light(noisy) if self.linear_light else noisy
