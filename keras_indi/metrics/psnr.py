"""Peak signal-to-noise ratio."""

from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Tensor, ValueLimits
from keras_indi.metrics.pixel_metric import PixelMetric, luma


@keras.saving.register_keras_serializable(package="keras_indi")
class PSNR(PixelMetric):
    """Peak signal-to-noise ratio of each image in decibels, averaged over images.

    `10 log10(peak^2 / MSE)`, with the mean squared error over all pixels and
    channels of an image, and the length of the value range as the peak. With
    `channel="y"` the error is that of Y, which spans 219 of 255, against the same
    peak, as super-resolution papers do.

    The PSNR of identical images is infinite, and so is the mean of a set with
    such a pair: nothing is capped.

    Args:
        value_range: Pair of numbers, the values of black and white. Defaults to
            `(0, 255)`.
        crop_border: Int, pixels left out on each side. Defaults to 0.
        channel: `"rgb"`, all channels as they come (a grey image's one, too), or
            `"y"`, the Y of YCbCr in the MATLAB convention, not rounded. Defaults
            to `"rgb"`.
        name: String. Defaults to `"psnr"`.
        dtype: Of `keras.metrics.Metric`; what is computed is float32 regardless.

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
        # The difference first: that of two integers is exact.
        error = self.cropped(clean) - self.cropped(restored)
        error = error / (self.value_range[1] - self.value_range[0])
        if self.channel == "y":
            error = luma(error)
        return -10.0 * ops.log10(ops.mean(ops.square(error), axis=(1, 2, 3)))
