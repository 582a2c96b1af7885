"""Layers of pretrained networks with PyTorch's conventions, always in float32."""

from collections.abc import Mapping, Sequence
from typing import Any

import keras
import numpy as np
from keras import layers

from keras_indi.annotations import Tensor
from keras_indi.metrics.network_weights import both_ways

COMMON = {"data_format": "channels_last", "dtype": "float32"}


def convolution(
    x: Tensor,
    name: str,
    filters: int,
    kernel_size: int | tuple[int, int],
    strides: int = 1,
    padding: str = "same",
) -> Tensor:
    """Apply a convolution and a ReLU.

    Args:
        x: KerasTensor of shape `(batch, height, width, channels)`.
        name: String, name of the convolution in PyTorch, such as `"features.0"`.
        filters: Int, number of output channels.
        kernel_size: Int, or a pair.
        strides: Int.
        padding: `"same"`, which pads as in PyTorch if the stride is 1, or
            `"valid"`.

    Returns:
        KerasTensor of shape `(batch, new_height, new_width, filters)`.
    """
    return layers.Conv2D(
        filters,
        kernel_size,
        strides,
        padding,
        activation="relu",
        kernel_initializer="zeros",  # the pretrained kernels come next
        name=name.replace(".", "-"),  # PyTorch allows no dot in a variable's path
        **COMMON,
    )(x)


def padded(x: Tensor, padding: Any) -> Tensor:
    return layers.ZeroPadding2D(padding, **COMMON)(x)


def maximum(
    x: Tensor, size: int = 3, strides: int = 2, padding: str = "valid"
) -> Tensor:
    return layers.MaxPooling2D(size, strides, padding, **COMMON)(x)


def average(x: Tensor) -> Tensor:
    """Apply average pooling over 3x3 pixels, excluding padding."""
    return layers.AveragePooling2D(3, 1, "same", **COMMON)(x)


def concatenation(tensors: Sequence[Tensor]) -> Tensor:
    return layers.Concatenate(dtype="float32")(tensors)


def assign_convolutions(
    model: keras.Model, arrays: Mapping[str, np.ndarray], name: str
) -> None:
    """Assign pretrained kernels and biases to the convolutions of a model.

    Args:
        model: Keras model whose convolutions are named as in PyTorch.
        arrays: Dict with `NAME.weight`, of shape `(out, in, height, width)`, and
            `NAME.bias`, of shape `(out,)`, for each.
        name: String, name of the weights for error messages.

    Raises:
        ValueError: If an array is missing or has another shape.
    """
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            key = layer.name.replace("-", ".")
            kernel = array_of(arrays, f"{key}.weight", name, rank=4)
            bias = array_of(arrays, f"{key}.bias", name, rank=1)
            values = [kernel.transpose(2, 3, 1, 0), bias]
            shapes = [value.shape for value in values]
            wanted = [tuple(variable.shape) for variable in layer.weights]
            if shapes != wanted:
                raise ValueError(
                    f"These are not the weights of {name}: `{key}` needs shapes "
                    f"{wanted}. Received: shapes {shapes}"
                )
            layer.set_weights(values)


def array_of(
    arrays: Mapping[str, np.ndarray], key: str, name: str, rank: int
) -> np.ndarray:
    """Return an array by its name, as float32, or raise a ValueError."""
    if key not in arrays or arrays[key].ndim != rank:
        raise ValueError(
            f"These are not the weights of {name}: there is no `{key}` of rank {rank}. "
            f"{both_ways(name)} Received: {sorted(arrays)[:5]} and so on"
        )
    return np.asarray(arrays[key], "float32")
