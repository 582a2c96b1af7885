"""Conversion between patches of pixels and channels."""

from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Config, Shape, Tensor
from keras_indi.validation import checked_integer


class _Patches2D(keras.layers.Layer):
    """Base class of both directions."""

    def __init__(self, patch_size: int, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.patch_size = checked_integer("patch_size", patch_size)

    def build(self, input_shape: Shape) -> None:
        pass  # no weights

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(patch_size=self.patch_size)
        return config


@keras.saving.register_keras_serializable(package="keras_indi")
class SpaceToDepth2D(_Patches2D):
    """Move each patch of pixels into the channels of one pixel.

    Args:
        patch_size: Int, height and width of a patch.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, height and
            width multiples of `patch_size`.

    Returns:
        Tensor of shape `(batch, height / patch_size, width / patch_size,
        patch_size^2 channels)`.

    Example:

    >>> tuple(keras_indi.layers.SpaceToDepth2D(2)(np.zeros((1, 4, 6, 3))).shape)
    (1, 2, 3, 12)
    """

    def call(self, inputs: Tensor) -> Tensor:
        size = self.patch_size
        batch, height, width, channels = ops.shape(inputs)
        rows, columns = height // size, width // size
        patches = ops.reshape(inputs, (batch, rows, size, columns, size, channels))
        patches = ops.transpose(patches, (0, 1, 3, 2, 4, 5))
        return ops.reshape(patches, (batch, rows, columns, size * size * channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, channels = input_shape
        size = self.patch_size
        rows, columns = (s if s is None else s // size for s in (height, width))
        return (batch, rows, columns, size * size * channels)


@keras.saving.register_keras_serializable(package="keras_indi")
class DepthToSpace2D(_Patches2D):
    """The inverse of `SpaceToDepth2D`: "pixel shuffle".

    Args:
        patch_size: Int, height and width of a patch.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, channels a
            multiple of `patch_size^2`.

    Returns:
        Tensor of shape `(batch, patch_size height, patch_size width, channels /
        patch_size^2)`.

    Example:

    >>> tuple(keras_indi.layers.DepthToSpace2D(2)(np.zeros((1, 2, 3, 12))).shape)
    (1, 4, 6, 3)

    Reference:
        Shi et al., "Real-Time Single Image and Video Super-Resolution Using an
        Efficient Sub-Pixel Convolutional Neural Network", CVPR 2016.
    """

    def call(self, inputs: Tensor) -> Tensor:
        size = self.patch_size
        batch, rows, columns, depth = ops.shape(inputs)
        channels = depth // (size * size)
        patches = ops.reshape(inputs, (batch, rows, columns, size, size, channels))
        patches = ops.transpose(patches, (0, 1, 3, 2, 4, 5))
        return ops.reshape(patches, (batch, rows * size, columns * size, channels))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, rows, columns, depth = input_shape
        size = self.patch_size
        height, width = (s if s is None else s * size for s in (rows, columns))
        return (batch, height, width, depth // (size * size))
