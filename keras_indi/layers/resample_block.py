"""Base class of the resampling blocks."""

from typing import Any

import keras

from keras_indi.annotations import Config, Shape
from keras_indi.layers.fast_conv2d import FastConv2D


class ResampleBlock(keras.layers.Layer):
    """Base class of both directions: a 3x3 convolution at the coarse resolution."""

    def __init__(self, filters: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.convolution = FastConv2D(
            filters, dtype=self.dtype_policy, name="convolution"
        )

    def build(self, input_shape: Shape) -> None:
        self.convolution.build(input_shape)

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(filters=self.filters)
        return config


def scaled(size: int | None, factor: float) -> int | None:
    """Return a height or width times a factor, or `None` for `None`."""
    return None if size is None else int(size * factor)
