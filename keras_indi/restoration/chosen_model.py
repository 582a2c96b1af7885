"""Which model restores a file, and what is known of it."""

import pathlib
from collections.abc import Iterable
from typing import NamedTuple

from keras_indi.images import formats
from keras_indi.images.photograph import Photograph
from keras_indi.models import Restorer, load_restorer
from keras_indi.presets import read_metadata

# Without a model: by the format, as compression is what a JPEG surely suffered.
DEFAULT_PRESETS: dict[str | None, str] = {"JPEG": "indi_small_jpeg"}
OTHER_PRESET = "indi_small_denoise"


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
            f"a JPEG of quality {quality}, and {self.name} was trained on {low} to "
            f"{high}"
        ]


def default_preset(path: pathlib.Path) -> str:
    """The name of the preset for a file, where the user names none."""
    format = formats.EXTENSIONS.get(path.suffix.lower())
    return DEFAULT_PRESETS.get(format, OTHER_PRESET)


def choose(
    model: Restorer | str | pathlib.Path, dtype: str = "auto", engine: str | None = None
) -> ChosenModel:
    """The model that a user names, or holds.

    Args:
        model: A `Restorer`, or what `load_restorer` takes.
        dtype: As for `load_restorer`; of a `Restorer` its own.
        engine: As for `load_restorer`.
    """
    if not isinstance(model, (str, pathlib.Path)):
        return ChosenModel(model)
    loaded = load_restorer(model, dtype, engine)
    try:
        metadata = read_metadata(model)
    except ValueError:  # a file of a model, which has none
        metadata = {}
    qualities = metadata.get("jpeg_quality", (1, 100))
    return ChosenModel(loaded, str(model), qualities)


def choose_all(
    paths: Iterable[pathlib.Path],
    model: Restorer | str | pathlib.Path | None,
    dtype: str,
    engine: str | None = None,
) -> dict:
    """The models for all files, loaded before any is restored.

    Args:
        paths: Paths of the files.
        model: As for `choose`, or `None` for the presets of the files' kinds.
        dtype: As for `choose`.
        engine: As for `choose`.

    Returns:
        Dict of `model`, or of the presets' names, to `ChosenModel`; of `None` where
        there is no file.
    """
    paths = list(paths)
    if model is None:
        names = dict.fromkeys(default_preset(path) for path in paths)
        return {name: choose(name, dtype, engine) for name in names}
    if isinstance(model, (str, pathlib.Path)) and not paths:
        return {model: None}
    return {model: choose(model, dtype, engine)}
