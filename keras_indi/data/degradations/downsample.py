"""Downsampling: the degradation of super-resolution."""

import math
from typing import Any

import keras
import numpy as np

from keras_indi.annotations import Config
from keras_indi.configurable import resolve
from keras_indi.data import resize as resizing
from keras_indi.data.degradations import linear_light as transfer
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.data.degradations.group import round_up
from keras_indi.data.degradations.quantization import quantized
from keras_indi.validation import checked_bool, checked_choice, checked_integer

# Reach of the kernels, in pixels of the small image.
REACH = {"nearest": 0.5, "area": 0.5, "bilinear": 1.0, "bicubic": 2.0}


@keras.saving.register_keras_serializable(package="keras_indi")
class Downsample(Degradation):
    """Downsample the image, and enlarge it again to its size.

    Downsampling is antialiased as in MATLAB's `imresize` and the benchmarks. The kernel
    is stretched by the factor, and the image is extended by reflection. Sizes that are
    not a multiple of the factor are rounded up. For integer images, the small image is
    clipped and rounded to the same levels, as in a file. The enlargement is bilinear,
    as in the paper, on stored values.

    Args:
        factor: Int >= 1, downsampling factor.
        method: `"bicubic"`, `"bilinear"`, `"area"` (the mean of `factor` x `factor`
            pixels) or `"nearest"` (their middle pixel; for an even factor the one
            below and to the right of the middle, which shifts the image by half a
            pixel).
        enlarge: Bool, whether to enlarge the small image to the size of the clean
            one. `False` returns the small image, of shape `(ceil(height / factor),
            ceil(width / factor), channels)`.
        linear_light: Bool, whether to downsample in linear light. Stored values are
            then assumed to be sRGB (see `linear_light.py`). The benchmarks do not.
        degradation: `Degradation` of the small image before it is enlarged, such as
            the compression of its file; its registered name or serialized config; or
            `None`.

    Example:

    >>> blurry = keras_indi.data.degradations.Downsample(4)(image, seed=0)

    Small JPEG files, as websites have them:

    >>> degradations = keras_indi.data.degradations
    >>> stored = degradations.JPEGCompression((60, 95))
    >>> enlarged = degradations.Downsample(4, degradation=stored)(image, seed=0)
    """

    def __init__(
        self,
        factor: int = 4,
        method: str = "bicubic",
        enlarge: bool = True,
        linear_light: bool = False,
        degradation: Any = None,
    ) -> None:
        self.factor = checked_integer("factor", factor)
        self.method = checked_choice("method", method, REACH)
        self.enlarge = checked_bool("enlarge", enlarge)
        self.linear_light = checked_bool("linear_light", linear_light)
        if degradation is not None:
            degradation = resolve(degradation, Degradation, {}, "degradation")
            if (degradation.reduction, degradation.axes) != (1, 3):
                raise ValueError(
                    "The `degradation` of the small image must keep its size. "
                    f"Received: degradation={degradation!r}"
                )
        self.degradation = degradation

    @property
    def margin(self) -> int:
        """Reach of the kernel, plus the neighbouring pixel that enlarging needs."""
        small = 0 if self.degradation is None else self.degradation.margin
        if self.factor > 1:
            reach = REACH[self.method] + (0.5 if self.enlarge else -0.5)
            small += int(np.ceil(reach))
        return round_up(self.factor * small, math.lcm(self.size_multiple, self.period))

    @property
    def size_multiple(self) -> int:
        """The factor, so that pixels of a small crop match those of the whole image."""
        small = 1 if self.degradation is None else self.degradation.size_multiple
        return self.factor * small

    @property
    def period(self) -> int:
        """That of the small image's degradation, in pixels of the input."""
        return 1 if self.degradation is None else self.factor * self.degradation.period

    @property
    def reduction(self) -> int:
        """The factor if the small image is returned, otherwise 1."""
        return 1 if self.enlarge else self.factor

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return self.apply_with_levels(image, generator, None)

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        height, width, _ = image.shape
        light = transfer.to_light(image) if self.linear_light else image
        small = resizing.resize(
            light, -(-height // self.factor), -(-width // self.factor), self.method
        )
        if self.linear_light:
            small = transfer.from_light(small)
        small = small if levels is None else quantized(small, levels)
        if self.degradation is not None:
            small = self.degradation.apply_with_levels(small, generator, levels)
            small = small if levels is None else quantized(small, levels)
        if not self.enlarge:
            return small
        return resizing.resize(small, height, width, "bilinear")

    def get_config(self) -> Config:
        config = super().get_config()
        if self.degradation is not None:
            serialized = keras.saving.serialize_keras_object(self.degradation)
            config["degradation"] = serialized
        return config
