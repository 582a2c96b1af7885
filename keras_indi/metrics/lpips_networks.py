"""Networks of LPIPS, with the layers whose features are compared as outputs."""

import keras

from keras_indi.annotations import Tensor
from keras_indi.metrics.pretrained_layers import (
    concatenation,
    convolution,
    maximum,
    padded,
)


def alexnet() -> keras.Model:
    """AlexNet's convolutions, after each ReLU."""
    images = keras.Input((None, None, 3))
    first = convolution(padded(images, 2), "features.0", 64, 11, 4, "valid")
    second = convolution(maximum(first), "features.3", 192, 5)
    third = convolution(maximum(second), "features.6", 384, 3)
    fourth = convolution(third, "features.8", 256, 3)
    fifth = convolution(fourth, "features.10", 256, 3)
    return keras.Model(images, [first, second, third, fourth, fifth])


def squeezenet() -> keras.Model:
    """SqueezeNet 1.1's first convolution and seven of its eight fire modules."""

    def fire(x, index, squeezed, expanded):
        x = convolution(x, f"features.{index}.squeeze", squeezed, 1)
        narrow = convolution(x, f"features.{index}.expand1x1", expanded, 1)
        wide = convolution(x, f"features.{index}.expand3x3", expanded, 3)
        return concatenation([narrow, wide])

    def ceil_maximum(x):
        # The last window may exceed the image. Zeros after a ReLU change no maximum.
        return maximum(padded(x, ((0, 1), (0, 1))))

    images = keras.Input((None, None, 3))
    taps = [convolution(images, "features.0", 64, 3, 2, "valid")]
    taps.append(fire(fire(ceil_maximum(taps[-1]), 3, 16, 64), 4, 16, 64))
    taps.append(fire(fire(ceil_maximum(taps[-1]), 6, 32, 128), 7, 32, 128))
    taps.append(fire(ceil_maximum(taps[-1]), 9, 48, 192))
    taps.append(fire(taps[-1], 10, 48, 192))
    taps.append(fire(taps[-1], 11, 64, 256))
    taps.append(fire(taps[-1], 12, 64, 256))
    return keras.Model(images, taps)


def vgg16() -> keras.Model:
    """VGG-16's convolutions, the last of each of its five blocks."""
    x = images = keras.Input((None, None, 3))
    index = 0
    taps: list[Tensor] = []
    for filters, convolutions in ((64, 2), (128, 2), (256, 3), (512, 3), (512, 3)):
        if taps:
            x = maximum(x, 2)
            index += 1
        for _ in range(convolutions):
            x = convolution(x, f"features.{index}", filters, 3)
            index += 2
        taps.append(x)
    return keras.Model(images, taps)
