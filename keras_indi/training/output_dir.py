"""Checks of the output directory of a training."""

import dataclasses
import json
import pathlib
from typing import TYPE_CHECKING, Any

from keras_indi.data.pairs import OTHER_IMAGES
from keras_indi.images.archives import read_record
from keras_indi.images.whole_writes import temporary_beside, write_text
from keras_indi.presets import io
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.training.training_config import read_settings

if TYPE_CHECKING:
    from keras_indi.data.pairs import Pairs
    from keras_indi.models import InDI
    from keras_indi.training.training_config import TrainingConfig

CONFIG = "config.yaml"
IMAGES = "images.json"
MODEL = "restorer.keras"
PRESET = "preset"
BACKUP = "backup.weights.h5"
LOG = "training.csv"
BEST = "best.keras"
PREVIEWS = "previews"
TENSORBOARD = "tensorboard"


def check_settings(config: "TrainingConfig") -> None:
    """Raise a ValueError if the folder holds a training with other settings."""
    path = pathlib.Path(config.output, CONFIG)
    if not path.exists():
        return
    try:
        earlier = read_settings(path, written_here=True)
    except ValueError as error:
        raise ValueError(
            "The settings of the training in this folder cannot be read. Restore the "
            "file, or choose another output directory. Received: "
            f"{str(path)!r} ({error})"
        ) from error
    settings = dataclasses.asdict(config)
    differing = {
        name: earlier.get(name)
        for name, value in settings.items()
        if name not in ("output", "noise_unit", "devices")
        and _comparable(name, earlier.get(name)) != _comparable(name, value)
    }
    if differing:
        changes = [
            f"{name}={settings[name]!r}, where the folder has {value!r}"
            for name, value in differing.items()
        ]
        raise ValueError(
            "The output directory holds a training with other settings: continue with "
            "its settings, or choose another one. Received: "
            f"output={config.output!r}, {'; '.join(changes)}"
        )


def claim(
    config: "TrainingConfig",
    model: "InDI",
    metadata: dict[str, Any],
    images: "dict[str, Pairs | None]",
) -> None:
    """Claim a folder for a training, and check that all outputs can be written.

    Args:
        config: `TrainingConfig`, whose `output` is the existing folder.
        model: The model before the training.
        metadata: Dict for its preset.
        images: Dict from names to `Pairs` or `None`.

    Raises:
        ValueError: If an output path exists and is of another kind, or the folder
            holds a training on other images.
        OSError: If it cannot be written to.
    """
    output = pathlib.Path(config.output)
    for name in (CONFIG, IMAGES, MODEL, BACKUP, LOG, BEST):
        if (output / name).is_dir():
            raise _other_kind(output / name)
    for name in (PREVIEWS, TENSORBOARD):
        if (output / name).exists() and not (output / name).is_dir():
            raise _other_kind(output / name)
    io.check(output / PRESET, model.backbone, model, metadata)
    _check_images(output / IMAGES, images)
    # The errors of a folder without write permission.
    for name in (PRESET, PREVIEWS, TENSORBOARD):
        if (output / name).is_dir():
            _try_writing(output / name)
    config.save(output / CONFIG)


def _other_kind(path):
    return ValueError(
        "The training cannot write over a file or folder of another kind. Remove "
        f"it, or choose another `output`. Received: {str(path)!r}"
    )


def _try_writing(folder):
    with temporary_beside(folder / "trial") as path:
        path.touch()


def _check_images(path, images):
    """Record the images in the folder; raise if it was started with others."""
    here = {
        name: {"batches": len(pairs), "fingerprint": pairs.fingerprint}
        for name, pairs in images.items()
        if pairs is not None
    }
    if not path.exists():
        write_text(path, json.dumps(here, indent=2) + "\n")
        return
    there = read_record(
        path,
        "which are the training's images",
        "remove it, if the images are the same still",
    )
    if there != here:
        raise ValueError(f"{OTHER_IMAGES} Received: {there} in {str(path)!r}, {here}")


def _comparable(name, value):
    """Return a setting in a form that compares with its value in a file."""
    if name == "noise_schedule" and value is not None:
        return noise_schedules.get(value)
    # YAML has lists only.
    return json.loads(json.dumps(value))
