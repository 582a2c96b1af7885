"""Changing the resolution by two."""

import keras

from keras_indi.layers.convolution import Convolution2D, double, halve


class _Resampling2D(keras.layers.Layer):
    """What both directions share: a 3x3 convolution at the coarse resolution."""

    def __init__(self, filters, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.convolution = Convolution2D(
            filters, dtype=self.dtype_policy, name="convolution"
        )

    def build(self, input_shape):
        self.convolution.build(input_shape)

    def get_config(self):
        config = super().get_config()
        config.update(filters=self.filters)
        return config


@keras.saving.register_keras_serializable(package="keras_indi")
class Downsampling2D(_Resampling2D):
    """Halves height and width: 2x2 means, then a 3x3 convolution.

    Args:
        filters: Int, number of output channels.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`, height and
            width even.

    Returns:
        Tensor of shape `(batch, height / 2, width / 2, filters)`.
    """

    def call(self, inputs):
        return self.convolution(halve(inputs))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, _scaled(height, 0.5), _scaled(width, 0.5), self.filters)


@keras.saving.register_keras_serializable(package="keras_indi")
class Upsampling2D(_Resampling2D):
    """Doubles height and width: a 3x3 convolution, then each pixel four times.

    The convolution works at the coarse resolution, where it costs a quarter.

    Args:
        filters: Int, number of output channels.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, 2 height, 2 width, filters)`.
    """

    def call(self, inputs):
        return double(self.convolution(inputs))

    def compute_output_shape(self, input_shape):
        batch, height, width, _ = input_shape
        return (batch, _scaled(height, 2), _scaled(width, 2), self.filters)


def _scaled(size, factor):
    return None if size is None else int(size * factor)
