"""Which model restores a file, and what is known of it."""

import pathlib
from typing import NamedTuple

from keras_indi.images.photograph import Photograph
from keras_indi.models import Restorer, load_restorer
from keras_indi.presets import read_metadata

# For any file: it removes noise and compression where they are, and nothing else.
DEFAULT_PRESET = "indi_small_blind"


class ChosenModel(NamedTuple):
    """A model, and what is known of it by its name."""

    model: Restorer
    name: str | None = None
    jpeg_quality: tuple[int, int] = (1, 100)  # of files that it is for

    def notes_on(self, photograph: Photograph) -> list[str]:
        """Sentences on what of a photograph lies outside the model's training."""
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
    """The model that a user names, or holds.

    Args:
        model: A `Restorer`, or what `load_restorer` takes.
        dtype: As for `load_restorer`; of a `Restorer` its own.
        engine: As for `load_restorer`.

    Raises:
        ValueError: If it is neither.
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
    except ValueError:  # a file of a model, which has none
        metadata = {}
    qualities = metadata.get("jpeg_quality", (1, 100))
    return ChosenModel(loaded, str(model), qualities)
