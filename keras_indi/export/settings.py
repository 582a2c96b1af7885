"""What is to be exported, in words that another process understands."""

import dataclasses
from typing import Any

import keras
import numpy as np

from keras_indi.export import formats, graphs
from keras_indi.inference.trajectory import Trajectory
from keras_indi.models.restorer import Restorer

FORMS = ("sampler", "denoiser")


@dataclasses.dataclass(frozen=True)
class Settings:
    """How a model is exported.

    Attributes:
        form: One of `FORMS`.
        format: String, the name of a format.
        precision: String.
        sampler: A `Sampler`, or its config.
        times: List of floats, from 1 to 0.
        time_shift: Float.
        scale: Int.
        uint8: Bool.
    """

    form: str
    format: str
    precision: str
    sampler: Any
    times: list[float]
    time_shift: float
    scale: int
    uint8: bool

    @property
    def dtype(self) -> str:
        """What the network computes in when it is traced."""
        computes = formats.get(self.format).computes
        return self.precision if self.precision in computes else "float32"

    def graph(self, model: Restorer) -> graphs.Graph:
        """What is exported of a model."""
        if self.form == "denoiser":
            return graphs.denoiser(model)
        return graphs.sampler(model, self.trajectory(model), self.scale, self.uint8)

    def trajectory(self, model: Restorer) -> Trajectory:
        """The way from t = 1 to 0 that a model takes."""
        sampler = model.get_sampler(self.sampler)
        return model.trajectory(sampler, np.array(self.times), self.time_shift)

    def as_dict(self) -> dict[str, Any]:
        """What makes the same again, of what JSON holds."""
        config = keras.saving.serialize_keras_object(self.sampler)
        return {**vars(self), "sampler": config}
