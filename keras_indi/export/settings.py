"""Settings of an export, serializable for another process."""

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
    """Settings of an export.

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
        """The compute dtype of the traced network."""
        computes = formats.get(self.format).computes
        return self.precision if self.precision in computes else "float32"

    def graph(self, model: Restorer) -> graphs.Graph:
        """Return the graph to export from a model."""
        if self.form == "denoiser":
            return graphs.denoiser(model)
        return graphs.sampler(model, self.trajectory(model), self.scale, self.uint8)

    def trajectory(self, model: Restorer) -> Trajectory:
        """Return the trajectory of a model from t = 1 to 0."""
        sampler = model.get_sampler(self.sampler)
        return model.trajectory(sampler, np.array(self.times), self.time_shift)

    def as_dict(self) -> dict[str, Any]:
        """Return a JSON-compatible dict that rebuilds these settings."""
        config = keras.saving.serialize_keras_object(self.sampler)
        return {**vars(self), "sampler": config}
