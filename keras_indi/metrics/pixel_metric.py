"""Base class of PSNR and SSIM: border cropping and choice of channels."""

from typing import Any

import numpy as np
from keras import ops

from keras_indi.annotations import Config, Tensor, ValueLimits
from keras_indi.metrics.image_metric import ImageMetric
from keras_indi.validation import checked_choice, checked_integer

# Y of YCbCr in the MATLAB convention (rgb2ycbcr, ITU-R BT.601), from 16 to 235 of
# 255: the offset plus weighted red, green and blue. It is not rounded.
LUMA_OFFSET = 16 / 255
LUMA_PARTS = np.array([65.481, 128.553, 24.966], "float32") / 255


class PixelMetric(ImageMetric):
    """Base class of metrics that compare pixels or windows of pixels.

    Args:
        value_range: Pair of numbers, the values of black and white.
        crop_border: Int, pixels to ignore on each side.
        channel: `"rgb"` for all channels unchanged, or `"y"` for the Y of YCbCr.
        smallest: Int, minimum height and width after cropping.
        **kwargs: `name` and `dtype` of `ImageMetric`.
    """

    def __init__(
        self,
        value_range: ValueLimits,
        crop_border: int,
        channel: str,
        smallest: int = 1,
        **kwargs: Any,
    ) -> None:
        checked_integer("crop_border", crop_border, least=0)
        checked_choice("channel", channel, ("rgb", "y"))
        super().__init__(
            value_range,
            channels=3 if channel == "y" else None,
            smallest=smallest + 2 * crop_border,
            **kwargs,
        )
        self.crop_border = crop_border
        self.channel = channel

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "crop_border": self.crop_border,
            "channel": self.channel,
        }

    def cropped(self, images: Tensor) -> Tensor:
        """Return float32 images without their border."""
        images = ops.cast(images, "float32")
        border = self.crop_border
        return images[:, border:-border, border:-border] if border else images


def luma(colours: Tensor) -> Tensor:
    """Return Y without its offset: weighted red, green and blue.

    Args:
        colours: Tensor of shape `(batch, height, width, 3)`, RGB where white is 1.

    Returns:
        Tensor of shape `(batch, height, width, 1)`, where white is 219 / 255.
    """
    return ops.sum(ops.multiply(colours, LUMA_PARTS), axis=-1, keepdims=True)
