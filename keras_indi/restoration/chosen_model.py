"""The model that restores files, and its metadata."""

import pathlib
from typing import NamedTuple

from keras_indi.images.photograph import Photograph
from keras_indi.models import Restorer, load_restorer
from keras_indi.presets import read_metadata

# Suitable for any file: it removes only noise and compression artifacts.
DEFAULT_PRESET = "indi_small_blind"


class ChosenModel(NamedTuple):
    """A model with its name and metadata."""

    model: Restorer
    name: str | None = None
    jpeg_quality: tuple[int, int] = (1, 100)  # range of the training data

    def notes_on(self, photograph: Photograph) -> list[str]:
        """Return notes on how a photograph differs from the training data."""
        low, high = self.jpeg_quality
        quality = photograph.jpeg_quality
        if quality is None or low <= quality <= high:
            return []
        return [
            f"JPEG quality {quality}; {self.name} was trained on {low} to {high}, and "
            "may change this file more than it restores"
        ]


def choose(
    model: Restorer | str | pathlib.Path, dtype: str = "auto", engine: str | None = None
) -> ChosenModel:
    """Load a model from its name, or wrap a loaded one.

    Args:
        model: A `Restorer`, or any argument of `load_restorer`.
        dtype: As for `load_restorer`. Ignored for a `Restorer`.
        engine: As for `load_restorer`.

    Raises:
        ValueError: If `model` is neither.
    """
    if not isinstance(model, (str, pathlib.Path)) and not hasattr(model, "restore"):
        raise ValueError(
            "`model` must be a restorer, or what `load_restorer` takes. Received: "
            f"model={model!r}"
        )
    if not isinstance(model, (str, pathlib.Path)):
        return ChosenModel(model)
    loaded = load_restorer(model, dtype, engine)
    try:
        metadata = read_metadata(model)
    except ValueError:  # a model file without metadata
        metadata = {}
    qualities = metadata.get("jpeg_quality", (1, 100))
    return ChosenModel(loaded, str(model), qualities)
