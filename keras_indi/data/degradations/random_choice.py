"""Random choice of a degradation."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_indi.data.degradations.group import Group, round_up
from keras_indi.validation import checked_numbers


@keras.saving.register_keras_serializable(package="keras_indi")
class RandomChoice(Group):
    """Apply one of several degradations, drawn for each call.

    Args:
        degradations: List of degradations with the same `reduction`.
        probabilities: List of non-negative numbers, the relative probability of each
            member. Defaults to equal probabilities.

    Example:

    >>> degradations = keras_indi.data.degradations
    >>> degrade = degradations.RandomChoice(
    ...     [degradations.GaussianBlur(), degradations.MotionBlur()], [0.25, 0.75]
    ... )
    """

    def __init__(
        self, degradations: Sequence[Any], probabilities: Sequence[float] | None = None
    ) -> None:
        super().__init__(degradations)
        if len({(member.reduction, member.axes) for member in self.degradations}) > 1:
            raise ValueError(
                "The members must keep the size of images alike. Received: "
                f"degradations={degradations!r}"
            )
        if probabilities is not None:
            weights = checked_numbers("probabilities", probabilities)
            valid = weights.shape == (len(self.degradations),)
            if not (valid and np.all(weights >= 0) and 0 < weights.sum() < np.inf):
                raise ValueError(
                    "`probabilities` must be as many numbers as there are "
                    "degradations, at least 0 and not all 0. Received: "
                    f"probabilities={probabilities!r}"
                )
            probabilities = weights.tolist()
        self.probabilities = probabilities

    @property
    def margin(self) -> int:
        """Largest margin of the members, rounded up to whole periods."""
        margin = max(member.margin for member in self.degradations)
        return round_up(margin, math.lcm(self.size_multiple, self.period))

    @property
    def size_multiple(self) -> int:
        """Least common multiple of the members' values."""
        return math.lcm(*(member.size_multiple for member in self.degradations))

    @property
    def period(self) -> int:
        """Least common multiple of the members' values."""
        return math.lcm(*(member.period for member in self.degradations))

    @property
    def reduction(self) -> int:
        """Reduction of each member."""
        return self.degradations[0].reduction

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        weights = self.probabilities
        if weights is not None:
            weights = np.divide(weights, np.sum(weights))
        index = generator.choice(len(self.degradations), p=weights)
        return self.degradations[index].apply_with_levels(image, generator, levels)
