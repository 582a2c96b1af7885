"""Precision and broadcasting of scalars and images in formulas."""

import keras
from keras import ops

from keras_indi.annotations import Tensor


def as_float(value: Tensor) -> Tensor:
    """Return the values as a float32 tensor, or float64 if they are float64."""
    value = ops.convert_to_tensor(value)
    if keras.backend.standardize_dtype(value.dtype) == "float64":
        return value
    return ops.cast(value, "float32")


def along_batch(times: Tensor, images: Tensor) -> Tensor:
    """Return times as a tensor that broadcasts with `(batch, ...)` images."""
    times = ops.cast(times, images.dtype)
    if len(times.shape) == 0:
        return times
    return ops.reshape(times, (-1,) + (1,) * (len(images.shape) - 1))
