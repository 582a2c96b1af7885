"""Zero padding at the borders of images that fill only part of their arrays."""

import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

from keras import ops

from keras_indi.annotations import Tensor

_CANVAS: contextvars.ContextVar[Any] = contextvars.ContextVar("canvas", default=None)


@contextlib.contextmanager
def on_canvas(height: int, extents: Tensor) -> Iterator[None]:
    """A context in which `FastConv2D` pads at the borders of images, not arrays.

    The images lie in the upper left corners of their arrays, and every convolution
    sees zeros beyond them. If only convolutions mix pixels, the output on the images
    is the same as for the images alone. The output beyond them is undefined.

    Args:
        height: Int, the arrays' height at the images' resolution.
        extents: Integer tensor of shape `(batch, 2)`, the images' heights and
            widths, multiples of the network's `size_multiple`.
    """
    token = _CANVAS.set((height, extents))
    try:
        yield
    finally:
        _CANVAS.reset(token)


def zero_outside(features: Tensor) -> Tensor:
    """Set features beyond the images of `on_canvas` to zero. No effect elsewhere.

    Args:
        features: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of the same shape.
    """
    if _CANVAS.get() is None:
        return features
    canvas_height, extents = _CANVAS.get()
    height, width = ops.shape(features)[1:3]
    extents = extents // (canvas_height // height)
    rows = ops.arange(height) < extents[:, :1]
    columns = ops.arange(width) < extents[:, 1:]
    inside = ops.logical_and(rows[:, :, None], columns[:, None, :])[..., None]
    # Not a product: values beyond may be infinite.
    return ops.where(inside, features, ops.zeros_like(features))
