"""Downsampling block."""

import keras

from keras_indi.annotations import Shape, Tensor
from keras_indi.backend.resampling import halve
from keras_indi.layers.resample_block import ResampleBlock, scaled


@keras.saving.register_keras_serializable(package="keras_indi")
class DownsampleBlock(ResampleBlock):
    """Halve height and width: 2x2 means, then a 3x3 convolution.

    Args:
        filters: Int, number of output channels.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, height and
            width even.

    Returns:
        Tensor of shape `(batch, height / 2, width / 2, filters)`.

    Example:

    >>> block = keras_indi.layers.DownsampleBlock(32)
    >>> block(np.zeros((1, 8, 8, 16), "float32")).shape[1:3] == (4, 4)
    True
    """

    def call(self, inputs: Tensor) -> Tensor:
        return self.convolution(halve(inputs))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        batch, height, width, _ = input_shape
        return (batch, scaled(height, 0.5), scaled(width, 0.5), self.filters)
