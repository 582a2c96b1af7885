"""Residual block conditioned on t."""

from collections.abc import Callable
from typing import Any

import keras

from keras_indi.annotations import Config, Shape, Tensor
from keras_indi.backend.activation import activate
from keras_indi.backend.convolution import add_to_pixels
from keras_indi.layers.fast_conv2d import FastConv2D


@keras.saving.register_keras_serializable(package="keras_indi")
class ResidualBlock(keras.layers.Layer):
    """`x + conv(silu(conv(silu(x)) + dense(embedding)))`, no normalization.

    The block of SR3 and DvSR (Saharia et al. 2021; Whang et al. 2022) without
    group normalization, so that a pixel's output depends only on a 5x5
    window. The second convolution starts at zero, which makes a deep stack
    without normalization start as the identity. Where the number of channels
    changes, the shortcut is a 1x1 convolution.

    Args:
        filters: Int, number of output channels.
        activation: A name of `keras.activations` or a function, applied before
            each convolution. Defaults to `"silu"`.
        **kwargs: `name`, `dtype` and so on of `keras.layers.Layer`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.
        embedding: Tensor of shape `(batch, units)`, of `TimeEmbedding`.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.

    Example:

    >>> block = keras_indi.layers.ResidualBlock(8)
    >>> tuple(block(np.zeros((1, 5, 7, 4)), np.zeros((1, 16))).shape)
    (1, 5, 7, 8)
    """

    radius = 2  # pixels that the block sees in each direction

    def __init__(
        self,
        filters: int,
        activation: str | Callable[[Tensor], Tensor] = "silu",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.filters = filters
        self.activation = keras.activations.get(activation)
        policy = self.dtype_policy
        self.first = FastConv2D(filters, dtype=policy, name="first")
        self.embedding = keras.layers.Dense(filters, dtype=policy, name="embedding")
        self.second = FastConv2D(
            filters, kernel_initializer="zeros", dtype=policy, name="second"
        )
        self.shortcut: FastConv2D | None = None

    def build(self, inputs_shape: Shape, embedding_shape: Shape) -> None:
        changed = (*inputs_shape[:-1], self.filters)
        self.first.build(inputs_shape)
        self.embedding.build(embedding_shape)
        self.second.build(changed)
        if inputs_shape[-1] != self.filters:
            self.shortcut = FastConv2D(
                self.filters, 1, dtype=self.dtype_policy, name="shortcut"
            )
            self.shortcut.build(inputs_shape)

    def call(self, inputs: Tensor, embedding: Tensor) -> Tensor:
        outputs = self.first(activate(self.activation, inputs))
        outputs = add_to_pixels(outputs, self.embedding(embedding))
        outputs = self.second(activate(self.activation, outputs))
        shortcut = inputs if self.shortcut is None else self.shortcut(inputs)
        return shortcut + outputs

    def compute_output_shape(
        self, inputs_shape: Shape, embedding_shape: Shape
    ) -> Shape:
        return (*inputs_shape[:-1], self.filters)

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(
            filters=self.filters,
            activation=keras.activations.serialize(self.activation),
        )
        return config
