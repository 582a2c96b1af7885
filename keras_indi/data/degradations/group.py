"""Base class of degradations that contain other degradations."""

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_indi.annotations import Config
from keras_indi.configurable import resolve
from keras_indi.data.degradations.degradation import Degradation


class Group(Degradation):
    """Base class of degradations that contain other degradations.

    Args:
        degradations: List of at least one `Degradation`, registered name such as
            `"keras_indi>GaussianNoise"`, or serialized config.
    """

    def __init__(self, degradations: Sequence[Any]) -> None:
        if not isinstance(degradations, (list, tuple)) or not degradations:
            raise ValueError(
                "`degradations` must be a list of at least one degradation. "
                f"Received: degradations={degradations!r}"
            )
        self.degradations = tuple(
            resolve(member, Degradation, {}, "degradations") for member in degradations
        )
        axes = [member.axes for member in self.degradations]
        if any(count != 3 for count in axes[1:]):
            raise ValueError(
                "A degradation of clips can only be the first of a group. Received: "
                f"degradations={degradations!r}"
            )

    @property
    def axes(self) -> int:
        """Number of input axes of the first member."""
        return self.degradations[0].axes

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        return self.apply_with_levels(image, generator, None)

    def get_config(self) -> Config:
        config = super().get_config()
        members = config["degradations"]
        serialize = keras.saving.serialize_keras_object
        return {**config, "degradations": [serialize(member) for member in members]}


def round_up(number: int, multiple: int) -> int:
    """Round a number up to a multiple."""
    return math.ceil(number / multiple) * multiple
