"""Fewer pixels: the degradation of super-resolution."""

import keras
import numpy as np

from keras_indi.data import resize as resizing
from keras_indi.data.degradations import linear_light as transfer
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.validation import checked_bool, checked_choice, checked_integer

# How far the kernels reach, in pixels of the small image.
REACH = {"nearest": 0.5, "area": 0.5, "bilinear": 1.0, "bicubic": 2.0}


@keras.saving.register_keras_serializable(package="keras_indi")
class Downsample(Degradation):
    """Shrink the image, and enlarge it again to its size.

    Shrinking is antialiased as in MATLAB's `imresize` and the benchmarks: the
    kernel is stretched by the factor, the image continued by its mirror image,
    and of a size that is no multiple of the factor the small one's is rounded
    up. Where the image is of integers, the small one is clipped and rounded to
    the same levels, as its file would be. The enlargement is bilinear, as in the
    paper, on stored values.

    Args:
        factor: Int >= 1, how many times smaller.
        method: `"bicubic"`, `"bilinear"`, `"area"` (the mean of `factor` x
            `factor` pixels) or `"nearest"` (the one in their middle; of an even
            factor the one right below it, which shifts the image half a pixel).
        enlarge: Whether to enlarge the small image to the size that the clean
            one has. `False` returns the small image: `(ceil(height / factor),
            ceil(width / factor), channels)`.
        linear_light: Whether to shrink light instead of stored values: these are
            then taken for sRGB's (see `linear_light.py`). The benchmarks do not.

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
        """The kernel's reach, and the small pixel that enlarging takes beside."""
        if self.factor == 1:
            return 0
        reach = REACH[self.method] + (0.5 if self.enlarge else -0.5)
        return self.factor * int(np.ceil(reach))

    @property
    def size_multiple(self) -> int:
        """The factor: small pixels of a crop are then those of the whole."""
        return self.factor

    @property
    def reduction(self) -> int:
        """The factor where the small image is returned, else 1."""
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
