"""Value range of images, and scaling to that of the network."""

import dataclasses
from collections.abc import Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_indi.annotations import ValueLimits
from keras_indi.validation import checked_value_range


@dataclasses.dataclass(frozen=True, init=False)
class ValueRange:
    """The smallest and the largest value of images, which a network sees in [-1, 1].

    Args:
        limits: Pair of numbers, or `None` for unbounded data, which is not scaled.

    Attributes:
        limits: Pair of floats, or `None`.

    Raises:
        ValueError: If `limits` is neither `None` nor a pair of finite numbers that
            rises.

    Example:

    >>> float(ValueRange((0, 255)).to_unit(255))
    1.0
    """

    limits: ValueLimits | None

    def __init__(self, limits: Sequence[float] | None) -> None:
        object.__setattr__(self, "limits", checked_value_range(limits, optional=True))

    @property
    def half_width(self) -> float:
        """Half of the range's width, which is 1 for the network: the unit of eps.

        1 where there is no range.
        """
        if self.limits is None:
            return 1.0
        low, high = self.limits
        return 0.5 * (high - low)

    def to_unit(self, images: Any) -> Any:
        """Scale images from the range to [-1, 1].

        Args:
            images: Tensor of any shape.

        Returns:
            float32 tensor of that shape.
        """
        images = ops.cast(images, "float32")
        if self.limits is None:
            return images
        return (images - self.limits[0]) * (1.0 / self.half_width) - 1.0

    def from_unit(self, images: Any) -> Any:
        """Scale images from [-1, 1] to the range.

        Args:
            images: Tensor of any shape.

        Returns:
            float32 tensor of that shape.
        """
        images = ops.cast(images, "float32")
        if self.limits is None:
            return images
        return (images + 1.0) * self.half_width + self.limits[0]

    def clip(self, images: np.ndarray) -> np.ndarray:
        """Clip a NumPy array to the range."""
        if self.limits is None:
            return images
        low, high = self.limits
        return np.clip(images, low, high)
