"""Fast activations on each backend."""

from collections.abc import Callable

import keras
from keras import ops

from keras_indi.annotations import Tensor


def activate(activation: Callable[[Tensor], Tensor], features: Tensor) -> Tensor:
    """Apply an activation, with a fast `silu` in bfloat16.

    TensorFlow computes the sigmoid of bfloat16 one value at a time. This function uses
    a float32 sigmoid instead, and reuses its values in the gradient.

    Args:
        activation: Function of a tensor, from `keras.activations` or your own.
        features: Tensor.

    Returns:
        Tensor of the same shape and dtype.
    """
    slow = keras.config.backend() == "tensorflow" and features.dtype == "bfloat16"
    if activation is not keras.activations.silu or not slow:
        return activation(features)

    @ops.custom_gradient
    def silu(features):
        sigmoid = ops.cast(ops.sigmoid(ops.cast(features, "float32")), features.dtype)

        def gradient(upstream):
            return upstream * (sigmoid * (1 + features * (1 - sigmoid)))

        return features * sigmoid, gradient

    return silu(features)
