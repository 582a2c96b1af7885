"""Blocks of Inception-v3 as in the graph of 2015-12-05, with PyTorch's names."""

from keras_indi.annotations import Tensor
from keras_indi.metrics.pretrained_layers import (
    average,
    concatenation,
    convolution,
    maximum,
)


def blocks_to_6e(x: Tensor) -> Tensor:
    """Apply the blocks from 299x299 images in [-1, 1] to Mixed_6e, 17x17x768."""
    x = convolution(x, "Conv2d_1a_3x3", 32, 3, 2, "valid")
    x = convolution(x, "Conv2d_2a_3x3", 32, 3, 1, "valid")
    x = convolution(x, "Conv2d_2b_3x3", 64, 3)
    x = maximum(x)
    x = convolution(x, "Conv2d_3b_1x1", 80, 1)
    x = convolution(x, "Conv2d_4a_3x3", 192, 3, 1, "valid")
    x = maximum(x)
    for block, pooled in (("5b", 32), ("5c", 64), ("5d", 64)):
        x = _five_by_five(x, f"Mixed_{block}", pooled)
    x = _halving(x, "Mixed_6a")
    for block, filters in (("6b", 128), ("6c", 160), ("6d", 160), ("6e", 192)):
        x = _seven_by_seven(x, f"Mixed_{block}", filters)
    return x


def blocks_to_7c(x: Tensor) -> Tensor:
    """Apply the blocks after Mixed_6e to the last one, 8x8x2048."""
    x = _last_halving(x, "Mixed_7a")
    x = _widest(x, "Mixed_7b", average)
    return _widest(x, "Mixed_7c", lambda x: maximum(x, 3, 1, "same"))


def _tower(x, name, *convolutions):
    """Apply convolutions `(filters, kernel_size[, strides, padding])` in sequence."""
    for index, arguments in enumerate(convolutions, 1):
        x = convolution(x, f"{name}_{index}", *arguments)
    return x


def _five_by_five(x, name, pooled):
    return concatenation(
        [
            convolution(x, f"{name}.branch1x1", 64, 1),
            _tower(x, f"{name}.branch5x5", (48, 1), (64, 5)),
            _tower(x, f"{name}.branch3x3dbl", (64, 1), (96, 3), (96, 3)),
            convolution(average(x), f"{name}.branch_pool", pooled, 1),
        ]
    )


def _halving(x, name):
    double = ((64, 1), (96, 3), (96, 3, 2, "valid"))
    return concatenation(
        [
            convolution(x, f"{name}.branch3x3", 384, 3, 2, "valid"),
            _tower(x, f"{name}.branch3x3dbl", *double),
            maximum(x),
        ]
    )


def _seven_by_seven(x, name, filters):
    row, column = (filters, (1, 7)), (filters, (7, 1))
    single = ((filters, 1), row, (192, (7, 1)))
    double = ((filters, 1), column, row, column, (192, (1, 7)))
    return concatenation(
        [
            convolution(x, f"{name}.branch1x1", 192, 1),
            _tower(x, f"{name}.branch7x7", *single),
            _tower(x, f"{name}.branch7x7dbl", *double),
            convolution(average(x), f"{name}.branch_pool", 192, 1),
        ]
    )


def _last_halving(x, name):
    seven = ((192, 1), (192, (1, 7)), (192, (7, 1)), (192, 3, 2, "valid"))
    return concatenation(
        [
            _tower(x, f"{name}.branch3x3", (192, 1), (320, 3, 2, "valid")),
            _tower(x, f"{name}.branch7x7x3", *seven),
            maximum(x),
        ]
    )


def _widest(x, name, pool):
    single = _tower(x, f"{name}.branch3x3", (384, 1))
    double = _tower(x, f"{name}.branch3x3dbl", (448, 1), (384, 3))
    return concatenation(
        [
            convolution(x, f"{name}.branch1x1", 320, 1),
            convolution(single, f"{name}.branch3x3_2a", 384, (1, 3)),
            convolution(single, f"{name}.branch3x3_2b", 384, (3, 1)),
            convolution(double, f"{name}.branch3x3dbl_3a", 384, (1, 3)),
            convolution(double, f"{name}.branch3x3dbl_3b", 384, (3, 1)),
            convolution(pool(x), f"{name}.branch_pool", 192, 1),
        ]
    )
