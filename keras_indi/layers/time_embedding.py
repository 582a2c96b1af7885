"""Embedding of t."""

import math
from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Config, Shape, Tensor


@keras.saving.register_keras_serializable(package="keras_indi")
class TimeEmbedding(keras.layers.Layer):
    """Sinusoidal features of t, then a two-layer perceptron.

    The features are `cos(1000 t w_i)` and `sin(1000 t w_i)` with frequencies
    w_i that fall geometrically from 1 to 1/10000 (Vaswani et al. 2017, section
    3.5, as in diffusion models for continuous t). They are always computed in float32:
    in a compute dtype of less precision, neighbouring times would coincide.

    Args:
        units: Int, even: the number of features and of outputs.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        times: Tensor of shape `(batch,)` with values in [0, 1].

    Returns:
        Tensor of shape `(batch, units)` in the compute dtype.

    Example:

    >>> tuple(keras_indi.layers.TimeEmbedding(16)(np.array([0.5])).shape)
    (1, 16)
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(autocast=False, **kwargs)
        if units < 4 or units % 2:
            raise ValueError(
                f"`units` must be even and at least 4. Received: units={units}"
            )
        self.units = units
        self.hidden = keras.layers.Dense(
            units, activation="silu", dtype=self.dtype_policy, name="hidden"
        )
        self.outputs = keras.layers.Dense(
            units, activation="silu", dtype=self.dtype_policy, name="outputs"
        )

    def build(self, input_shape: Shape) -> None:
        self.hidden.build((*input_shape, self.units))
        self.outputs.build((*input_shape, self.units))

    def call(self, times: Tensor) -> Tensor:
        half = self.units // 2
        exponents = ops.arange(half, dtype="float32") / (half - 1)
        frequencies = 1000.0 * ops.exp(-math.log(10000.0) * exponents)
        angles = ops.cast(times, "float32")[:, None] * frequencies
        features = ops.concatenate([ops.cos(angles), ops.sin(angles)], axis=-1)
        return self.outputs(self.hidden(features))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape, self.units)

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(units=self.units)
        return config
