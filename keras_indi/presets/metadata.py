"""Metadata of a preset, from the model and from its author."""

import datetime

import keras

from keras_indi import samplers
from keras_indi.presets.files import METADATA_FILE, as_json, read_json
from keras_indi.presets.handles import locate
from keras_indi.schedules import time_grid as time_grids
from keras_indi.version import __version__

# Keys of the author, with their meaning.
MAKERS_KEYS = {
    "description": "one sentence",
    "task": "what it undoes, such as 'JPEG artefacts'",
    "license": "of the weights, an SPDX identifier",
    "training_data": "list of dicts with `name`, `terms` and so on",
    "degradation": "a `Degradation`, its config, or words",
    "training": "dict: loss, optimizer, learning_rate, ema, steps, crop_size, ...",
    "held_out_scores": "dict of `protocol` and `scores`, a list of dicts",
    "jpeg_quality": "pair of ints, the qualities of JPEG files that it is for",
    "notes": "list of sentences",
}


def read_metadata(preset):
    """Return the metadata of a preset.

    Args:
        preset: As for `InDI.from_preset`.

    Returns:
        Dict, the content of its `metadata.json`: `keras_version`,
        `keras_indi_version`, `parameter_count`, `date_saved`, `weights_sha256`
        (`None` without weights), `weights_dtype`, `weights_bytes`; for a restorer
        `model`, `time_distribution`, `noise_schedule`, `noise_unit`, `scale`,
        `value_range` and `recommended`; and any of `MAKERS_KEYS` from the author.

    Raises:
        ValueError: If it is not a preset.
    """
    metadata = read_json(locate(preset) / METADATA_FILE)
    checked_metadata({key: metadata[key] for key in MAKERS_KEYS if key in metadata})
    return metadata


def checked_metadata(metadata):
    """Return the author's metadata for JSON; raise a ValueError if not valid."""
    metadata = dict(metadata or {})
    unknown = sorted(metadata.keys() - MAKERS_KEYS.keys())
    if unknown:
        known = "; ".join(f"`{key}` ({what})" for key, what in MAKERS_KEYS.items())
        raise ValueError(
            f"Keys of `metadata` are {known}. All others are set from the model. "
            f"Received: metadata with {unknown}"
        )
    degradation = metadata.get("degradation")
    if hasattr(degradation, "get_config"):
        metadata["degradation"] = keras.saving.serialize_keras_object(degradation)
    scores = metadata.get("held_out_scores")
    if scores is not None and not (
        isinstance(scores, dict)
        and scores.get("protocol")
        and isinstance(scores.get("scores"), (list, tuple))
        and all(isinstance(row, dict) for row in scores["scores"])
    ):
        raise ValueError(
            "`held_out_scores` must be a dict of `protocol`, how they were measured, "
            "and `scores`, a list of dicts. Received: metadata with "
            f"held_out_scores={scores!r}"
        )
    data = metadata.get("training_data")
    if data is not None and not (
        isinstance(data, (list, tuple))
        and all(isinstance(d, dict) and {"name", "terms"} <= d.keys() for d in data)
    ):
        raise ValueError(
            "`training_data` must be a list of dicts with `name` and `terms`. "
            f"Received: metadata with training_data={data!r}"
        )
    qualities = metadata.get("jpeg_quality")
    if qualities is not None and not (
        isinstance(qualities, (list, tuple))
        and len(qualities) == 2
        and all(isinstance(quality, int) for quality in qualities)
        and 1 <= qualities[0] <= qualities[1] <= 100
    ):
        raise ValueError(
            "`jpeg_quality` must be a pair of increasing qualities of 1 to 100. "
            f"Received: metadata with jpeg_quality={qualities!r}"
        )
    try:
        as_json(metadata)
    except (TypeError, ValueError) as error:
        raise ValueError(
            "`metadata` must hold what JSON can: finite numbers, strings, lists, dicts "
            f"({error}). Received: metadata={metadata!r}"
        ) from error
    return metadata


def found_out(backbone, task):
    """Return the metadata that follow from a model.

    Args:
        backbone: The Keras model whose weights the preset holds.
        task: The restorer around it, or `None`.

    Returns:
        Dict of the keys that `metadata.json` has for every preset, except those of the
        weights file.
    """
    now = datetime.datetime.now(datetime.UTC)
    found = {
        "keras_version": keras.version(),
        "keras_indi_version": __version__,
        "parameter_count": int(backbone.count_params()),
        "date_saved": now.strftime("%Y-%m-%d@%H:%M:%S"),
    }
    if task is not None:
        defaults = task.restore_defaults
        found["model"] = _public_name(task)
        value_range = task.value_range
        if hasattr(task, "time_distribution"):
            found["time_distribution"] = repr(task.time_distribution)
        if hasattr(task, "noise_schedule"):
            found["noise_schedule"] = repr(task.noise_schedule)
        if hasattr(task, "noise_unit"):
            found["noise_unit"] = task.noise_unit
        found["scale"] = task.scale
        found["value_range"] = None if value_range is None else list(value_range)
        found["recommended"] = {
            "num_steps": defaults["num_steps"],
            "sampler": _short_name(
                defaults["sampler"], {**samplers.BUILTIN, **samplers.DIFFUSION}
            ),
            "time_grid": _short_name(defaults["time_grid"], time_grids.BUILTIN),
            "time_shift": defaults["time_shift"],
        }
    return found


def _public_name(task):
    """Return the name of the restorer's class, or of its public base class."""
    return next(
        cls.__name__
        for cls in type(task).__mro__
        if cls.__module__.startswith("keras_indi.")
    )


def _short_name(found, builtin):
    """Return the short name of an object for `restore`, or else its `repr`."""
    for name, builtin_class in builtin.items():
        if found == builtin_class():
            return name
    return repr(found)
