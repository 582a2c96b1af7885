"""Structural similarity."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Tensor, ValueLimits
from keras_indi.metrics.pixel_metric import LUMA_OFFSET, PixelMetric, luma

WINDOW = 11
SIGMA = 1.5
C1 = 0.01**2
C2 = 0.03**2


@keras.saving.register_keras_serializable(package="keras_indi")
class SSIM(PixelMetric):
    """Structural similarity of each image, averaged over images.

    Uses the conventions of the authors: a Gaussian window of 11x11 pixels with a
    standard deviation of 1.5, K1 = 0.01, K2 = 0.03, biased variances, and the mean over
    windows that lie entirely inside the image. For colour images, it is the mean over
    channels.
    Identical images give 1. It equals scikit-image's
    `structural_similarity(gaussian_weights=True, use_sample_covariance=False)`.

    Args:
        value_range: Pair of numbers, the values of black and white. Defaults to
            `(0, 255)`.
        crop_border: Int, pixels to ignore on each side. Defaults to 0.
        channel: `"rgb"` for all channels unchanged (also for grey images), or `"y"` for
            the Y of YCbCr in the MATLAB convention, not rounded. Defaults to `"rgb"`.
        name: String. Defaults to `"ssim"`.
        dtype: As for `keras.metrics.Metric`. Computation is always in float32.

    Example:

    >>> images = np.random.default_rng(0).uniform(0, 255, (2, 16, 16, 3))
    >>> keras_indi.metrics.SSIM().per_image(images, images).round(6)
    array([1., 1.])

    Reference: Wang, Bovik, Sheikh & Simoncelli, Image quality assessment: from
    error visibility to structural similarity (IEEE TIP 2004).
    """

    higher_is_better = True

    def __init__(
        self,
        value_range: ValueLimits = (0, 255),
        crop_border: int = 0,
        channel: str = "rgb",
        name: str = "ssim",
        dtype: Any = None,
    ) -> None:
        super().__init__(
            value_range, crop_border, channel, WINDOW, name=name, dtype=dtype
        )

    def compute(self, clean: Tensor, restored: Tensor) -> Tensor:
        clean, restored = self._in_unit_range(clean), self._in_unit_range(restored)
        # A shift does not change variances, but reduces cancellation errors.
        shift = ops.mean(clean, axis=(1, 2), keepdims=True)
        x, y = clean - shift, restored - shift
        # Blur all in one call, so that its many shifts are compiled once.
        stacked = ops.concatenate([x, y, x * x, y * y, x * y], axis=-1)
        mean_x, mean_y, mean_xx, mean_yy, mean_xy = ops.split(blur(stacked), 5, axis=-1)
        variances = mean_xx - mean_x * mean_x + mean_yy - mean_y * mean_y
        covariance = mean_xy - mean_x * mean_y
        mean_x, mean_y = mean_x + shift, mean_y + shift
        luminance = (2 * mean_x * mean_y + C1) / (mean_x**2 + mean_y**2 + C1)
        structure = (2 * covariance + C2) / (variances + C2)
        return ops.mean(luminance * structure, axis=(1, 2, 3))

    def _in_unit_range(self, images):
        low, high = self.value_range
        images = (self.cropped(images) - low) / (high - low)
        return LUMA_OFFSET + luma(images) if self.channel == "y" else images


def blur(images: Tensor) -> Tensor:
    """Return Gaussian means over windows inside the image, as sums of shifted images.

    A convolution on an accelerator would round to fewer bits.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, height - 10, width - 10, channels)`.
    """
    offsets = np.arange(WINDOW) - WINDOW // 2
    window = np.exp(-(offsets**2) / (2 * SIGMA**2))
    window /= window.sum()
    last = WINDOW - 1
    rows = sum(
        float(weight) * images[:, start : (start - last) or None]
        for start, weight in enumerate(window)
    )
    return sum(
        float(weight) * rows[:, :, start : (start - last) or None]
        for start, weight in enumerate(window)
    )
