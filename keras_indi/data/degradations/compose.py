"""Degradations one after another."""

import math

import keras
import numpy as np

from keras_indi.data.degradations.group import Group, round_up


@keras.saving.register_keras_serializable(package="keras_indi")
class Compose(Group):
    """Apply degradations one after another, as in a camera: blur, noise, JPEG.

    In between the image stays float32 and is not clipped, even where it came as
    integers, except where a member itself stores it (`Downsample`,
    `JPEGCompression`).

    Args:
        degradations: List of degradations, the first to act first.

    Example:

    >>> degradations = keras_indi.data.degradations
    >>> degrade = degradations.Compose([
    ...     degradations.GaussianBlur((0.5, 2.0)),
    ...     degradations.Downsample(4),
    ...     degradations.PoissonGaussianNoise(),
    ...     degradations.JPEGCompression((30, 90)),
    ... ])
    >>> degraded = degrade(image, seed=0)
    """

    @property
    def margin(self) -> int:
        """The sum of the members', rounded up to whole patterns of theirs."""
        margin = sum(member.margin * scale for member, scale in self._scaled())
        return round_up(margin, math.lcm(self.size_multiple, self.period))

    @property
    def size_multiple(self) -> int:
        """The least common multiple of the members'."""
        multiples = [member.size_multiple * scale for member, scale in self._scaled()]
        return math.lcm(*multiples)

    @property
    def period(self) -> int:
        """The least common multiple of the members'."""
        return math.lcm(*(member.period * scale for member, scale in self._scaled()))

    @property
    def reduction(self) -> int:
        """The product of the members'."""
        return math.prod(member.reduction for member in self.degradations)

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        for member in self.degradations:
            image = member.apply_with_levels(image, generator, levels)
        return image

    def _scaled(self):
        """Each member with the number of the input's pixels that one of its has."""
        scale = 1
        for member in self.degradations:
            yield member, scale
            scale *= member.reduction
