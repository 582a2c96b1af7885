"""Peak signal-to-noise ratio."""

from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Tensor, ValueLimits
from keras_indi.metrics.pixel_metric import PixelMetric, luma


@keras.saving.register_keras_serializable(package="keras_indi")
class PSNR(PixelMetric):
    """Peak signal-to-noise ratio of each image in decibels, averaged over images.

    `10 log10(peak^2 / MSE)`, with the mean squared error over all pixels and channels
    of an image, and the length of the value range as the peak. With `channel="y"`, the
    error is that of Y, which spans 219 of 255, with the same peak, as in
    super-resolution papers.

    The PSNR of identical images is infinite, and so is the mean of a set that contains
    such a pair.

    Args:
        value_range: Pair of numbers, the values of black and white. Defaults to
            `(0, 255)`.
        crop_border: Int, pixels to ignore on each side. Defaults to 0.
        channel: `"rgb"` for all channels unchanged (also for grey images), or `"y"` for
            the Y of YCbCr in the MATLAB convention, not rounded. Defaults to `"rgb"`.
        name: String. Defaults to `"psnr"`.
        dtype: As for `keras.metrics.Metric`. Computation is always in float32.

    Example:

    >>> clean = np.zeros((1, 8, 8, 3))
    >>> keras_indi.metrics.PSNR().per_image(clean, clean + 25.5).round(4)
    array([20.])

    In training: `model.compile(metrics=[keras_indi.metrics.PSNR()])`.
    """

    higher_is_better = True

    def __init__(
        self,
        value_range: ValueLimits = (0, 255),
        crop_border: int = 0,
        channel: str = "rgb",
        name: str = "psnr",
        dtype: Any = None,
    ) -> None:
        super().__init__(value_range, crop_border, channel, name=name, dtype=dtype)

    def compute(self, clean: Tensor, restored: Tensor) -> Tensor:
        # Subtract first, because the difference of two integers is exact.
        error = self.cropped(clean) - self.cropped(restored)
        error = error / (self.value_range[1] - self.value_range[0])
        if self.channel == "y":
            error = luma(error)
        return -10.0 * ops.log10(ops.mean(ops.square(error), axis=(1, 2, 3)))
