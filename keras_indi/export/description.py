"""Description of an exported file."""

from typing import Any

from keras_indi.export.settings import Settings
from keras_indi.models.restorer import Restorer
from keras_indi.presets.metadata import found_out
from keras_indi.version import __version__


def describe(
    model: Restorer, settings: Settings, preset: str | None, known: dict[str, Any]
) -> dict[str, Any]:
    """Return the metadata of an exported file, also written as JSON next to it.

    Args:
        model: The restorer.
        settings: `Settings`.
        preset: String, the handle of the restorer, or `None`.
        known: Dict, the metadata of the preset.

    Returns:
        JSON-compatible dict.
    """
    value_range = model.value_range
    noise_schedule = getattr(model, "noise_schedule", None)
    trajectory = settings.trajectory(model)
    found = {
        "keras_indi_version": __version__,
        "model": found_out(model.backbone, model)["model"],
        "preset": preset,
        "task": known.get("task"),
        "license": known.get("license"),
        "form": settings.form,
        "precision": settings.precision,
        "value_range": None if value_range is None else list(value_range),
        "image_channels": model.image_channels,
        "receptive_field": model.receptive_field,
        "size_multiple": model.size_multiple,
        "noise_schedule": None if noise_schedule is None else repr(noise_schedule),
        "scale": settings.scale,
        "dtype": "uint8" if settings.uint8 else "float32",
    }
    if settings.form == "sampler":
        found |= {
            "num_steps": trajectory.num_steps,
            "sampler": repr(trajectory.sampler),
            "times": settings.times,
            "time_shift": settings.time_shift,
            "noise_draws": trajectory.num_draws,
        }
    else:
        found["condition_on_degraded"] = model.condition_on_degraded
    return {key: value for key, value in found.items() if value is not None}
