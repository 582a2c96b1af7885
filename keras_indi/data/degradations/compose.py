"""Sequence of degradations."""

import math

import keras
import numpy as np

from keras_indi.data.degradations.group import Group, round_up


@keras.saving.register_keras_serializable(package="keras_indi")
class Compose(Group):
    """Apply degradations in sequence, as in a camera: blur, noise, JPEG.

    Between members the image is float32 and not clipped, even if the input is of
    integers. Members that store the image (`Downsample`, `JPEGCompression`) clip it.

    Args:
        degradations: List of degradations, in the order in which they are applied.

    Example:

    >>> degradations = keras_indi.data.degradations
    >>> degrade = degradations.Compose([
    ...     degradations.GaussianBlur((0.5, 2.0)),
    ...     degradations.PoissonGaussianNoise(),
    ...     degradations.JPEGCompression((30, 90)),
    ... ])
    >>> degraded = degrade(image, seed=0)
    """

    @property
    def margin(self) -> int:
        """Sum of the members' margins, rounded up to whole periods."""
        margin = sum(member.margin * scale for member, scale in self._scaled())
        return round_up(margin, math.lcm(self.size_multiple, self.period))

    @property
    def size_multiple(self) -> int:
        """Least common multiple of the members' values."""
        multiples = [member.size_multiple * scale for member, scale in self._scaled()]
        return math.lcm(*multiples)

    @property
    def period(self) -> int:
        """Least common multiple of the members' values."""
        return math.lcm(*(member.period * scale for member, scale in self._scaled()))

    @property
    def reduction(self) -> int:
        """Product of the members' reductions."""
        return math.prod(member.reduction for member in self.degradations)

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        for member in self.degradations:
            image = member.apply_with_levels(image, generator, levels)
        return image

    def _scaled(self):
        """Yield each member with the size of its pixels in pixels of the input."""
        scale = 1
        for member in self.degradations:
            yield member, scale
            scale *= member.reduction
