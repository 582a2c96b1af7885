"""Downsampling: the degradation of super-resolution."""

import keras
import numpy as np

from keras_indi.data import resize as resizing
from keras_indi.data.degradations import linear_light as transfer
from keras_indi.data.degradations.degradation import Degradation
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

    Example:

    >>> blurry = keras_indi.data.degradations.Downsample(4)(image, seed=0)
    """

    def __init__(
        self,
        factor: int = 4,
        method: str = "bicubic",
        enlarge: bool = True,
        linear_light: bool = False,
    ) -> None:
        self.factor = checked_integer("factor", factor)
        self.method = checked_choice("method", method, REACH)
        self.enlarge = checked_bool("enlarge", enlarge)
        self.linear_light = checked_bool("linear_light", linear_light)

    @property
    def margin(self) -> int:
        """Reach of the kernel, plus the neighbouring pixel that enlarging needs."""
        if self.factor == 1:
            return 0
        reach = REACH[self.method] + (0.5 if self.enlarge else -0.5)
        return self.factor * int(np.ceil(reach))

    @property
    def size_multiple(self) -> int:
        """The factor, so that pixels of a small crop match those of the whole image."""
        return self.factor

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
        if levels is not None:
            small = np.rint(np.clip(small, 0, 1) * levels) / np.float32(levels)
        if not self.enlarge:
            return small
        return resizing.resize(small, height, width, "bilinear")
