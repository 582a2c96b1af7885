"""Upsampling block."""

import keras

from keras_indi.annotations import Shape, Tensor
from keras_indi.backend.resampling import double
from keras_indi.layers.resample_block import ResampleBlock, scaled


@keras.saving.register_keras_serializable(package="keras_indi")
class UpsampleBlock(ResampleBlock):
    """Double height and width: a 3x3 convolution, then each pixel four times.

    The convolution works at the coarse resolution, where it costs a quarter.

    Args:
        filters: Int, number of output channels.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, 2 height, 2 width, filters)`.

    Example:

    >>> block = keras_indi.layers.UpsampleBlock(16)
    >>> block(np.zeros((1, 4, 4, 32), "float32")).shape[1:3] == (8, 8)
    True
    """

    def call(self, inputs: Tensor) -> Tensor:
        return double(self.convolution(inputs))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = input_shape
        return (batch, scaled(height, 2), scaled(width, 2), self.filters)
