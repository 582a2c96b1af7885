"""Configuration of a training, in Python and YAML."""

import dataclasses
import pathlib
import types
import typing
from collections.abc import Mapping
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import FilePath
from keras_indi.images.whole_writes import write_text
from keras_indi.optional_packages import optional_import
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.validation import (
    checked_choice,
    checked_integer,
    checked_number,
    did_you_mean,
    is_number,
)

DTYPES = ("auto", "float32", "bfloat16")
DEVICES = (None, "all")
# With the default rate of each.
OPTIMIZERS = {"adam": 1e-4, "muon": 1e-3}
LEARNING_RATE_SCHEDULES = ("constant", "cosine")
MOST_BATCHES_PER_EPOCH = 250
# The names of settings in version 0.1, still found in old files.
RENAMED = {
    "out": "output",
    "steps": "batches",
    "steps_per_epoch": "batches_per_epoch",
}

# Of a configuration; aliases of aliases multiply.
MAX_VALUES = 10_000


@dataclasses.dataclass(kw_only=True)
class TrainingConfig:
    """Settings of a training, with the same names in Python, YAML and flags.

    Args:
        output: Path of the output directory.
        clean: Path of the folder of clean images.
        degraded: Path of the folder of degraded images, paired with the clean images
            by name. Defaults to none, which requires a `degradation`.
        degradation: Degradation of the clean images: a name among
            `keras_indi.data.degradations`, or a registered one such as `"mine>Fog"`; a
            dict of `name` and its arguments,
            `{"name": "jpeg_compression", "quality": [10, 50]}`; a list of these,
            applied in order; or a serialized config.
        validation_clean: Path of the folder of clean validation images. Uses the same
            degradation, or `validation_degraded`.
        validation_degraded: Path of the folder of degraded validation images.
        preset: Preset or model to start from, as for
            `keras_indi.models.load_restorer`. Defaults to a new network.
        network: Dict of arguments of `UNetBackbone` for a new network. Defaults to
            `keras_indi.training.NETWORK`, with 3.6 million parameters. As in the paper,
            it sees x_t and t, not the degraded image.
        time_distribution: p(t), as for `InDI`. Defaults to the preset's, or
            uniform.
        noise_schedule: eps_t, as for `InDI`. Defaults to the preset's, or none.
        noise_unit: `"paper"`, the unit of `noise_schedule`: images in [-1, 1], where
            0.01 is 1.275 grey levels of 255. Required in a file with noise.
        own_states: Float in [0, 1], the share of the model's own states, as for
            `InDI`. Use it with a `preset`, for the end of a training. Defaults to the
            preset's, or 0.
        scale: Int, the factor of super-resolution, by which clean images are larger in
            height and width, as for `InDI`. Defaults to the preset's, or 1.
        batches: Int, number of training batches.
        batches_per_epoch: Int, number of batches between validations, log lines and
            checkpoints. Defaults to 250, or to `batches` if that is less.
        batch_size: Int.
        crop_size: Int, height and width of the crops in pixels.
        max_pixels: Int, maximum number of pixels of an image, as for
            `keras_indi.data.read_image`. Larger images are skipped with a message.
            Defaults to 89 megapixels.
        optimizer: `"adam"`, as in the paper, or `"muon"`, which learns faster from
            scratch: `keras_indi.models.AveragedAdam` or `AveragedMuon`. Defaults to
            Adam with a `preset`, to Muon for a new network.
        learning_rate: Float. Defaults to 1e-4 of Adam, as in the paper, and 1e-3 of
            Muon.
        learning_rate_schedule: `"constant"`, as in the paper, or `"cosine"`, which
            decays to zero.
        global_clipnorm: Float, the maximum norm of all gradients together, or `None`
            for no limit, as in the paper. It can stabilize a training at a high
            learning rate. With images in (0, 255), typical norms are 8 to 40.
        ema_momentum: Float, momentum of the weight average, or `None` for no average.
        dtype: `"float32"`, `"bfloat16"` (the weights stay float32) or `"auto"`,
            bfloat16 where it is known to be faster.
        tensorboard: Bool, whether to write curves and previews of the validation images
            for TensorBoard.
        devices: `"all"` divides each batch among all devices. With JAX this includes
            the devices of other processes, given by Keras's environment variables
            `KERAS_DISTRIBUTION_JOB_ADDRESSES`, `KERAS_DISTRIBUTION_NUM_PROCESSES` and
            `KERAS_DISTRIBUTION_PROCESS_ID`. Defaults to one device.
        seed: Int, fixes weights, crops, degradations, t and noise.

    Raises:
        ValueError: If a setting is not valid, or two exclude each other.

    Example:

    >>> config = keras_indi.training.TrainingConfig.from_dict(
    ...     {"clean": "clean", "degraded": "degraded", "output": "run"}
    ... )
    >>> config.save("train.yaml")
    """

    output: str
    clean: str
    degraded: str | None = None
    degradation: str | dict | list | None = None
    validation_clean: str | None = None
    validation_degraded: str | None = None
    preset: str | None = None
    network: dict | None = None
    time_distribution: str | dict | None = None
    noise_schedule: float | str | dict | None = None
    noise_unit: str = noise_schedules.UNIT
    own_states: float | None = None
    scale: int | None = None
    batches: int = 10_000
    batches_per_epoch: int | None = None
    batch_size: int = 16
    crop_size: int = 64
    max_pixels: int | None = None
    optimizer: str | None = None
    learning_rate: float | None = None
    learning_rate_schedule: str = "constant"
    global_clipnorm: float | None = None
    ema_momentum: float | None = 0.9999
    dtype: str = "auto"
    tensorboard: bool = False
    devices: str | None = None
    seed: int = 0

    def __post_init__(self):
        for field in dataclasses.fields(self):
            setattr(self, field.name, _checked(field, getattr(self, field.name)))
        for name in (
            "batches",
            "batches_per_epoch",
            "batch_size",
            "crop_size",
            "max_pixels",
            "scale",
        ):
            checked_integer(name, getattr(self, name), optional=True)
        for name, choices in (
            ("noise_unit", [noise_schedules.UNIT]),
            ("optimizer", [None, *OPTIMIZERS]),
            ("dtype", DTYPES),
            ("learning_rate_schedule", LEARNING_RATE_SCHEDULES),
            ("devices", DEVICES),
        ):
            checked_choice(name, getattr(self, name), choices)
        for name, bounds in (
            ("learning_rate", {"above": 0, "optional": True}),
            ("global_clipnorm", {"above": 0, "optional": True}),
            ("ema_momentum", {"least": 0, "below": 1, "optional": True}),
            ("own_states", {"least": 0, "most": 1, "optional": True}),
        ):
            checked_number(name, getattr(self, name), **bounds)
        checked_integer("seed", self.seed, least=0)
        given = [n for n in ("degraded", "degradation") if getattr(self, n) is not None]
        if len(given) != 1:
            raise ValueError(
                "Pass either `degraded`, a folder of degraded images, or a "
                "`degradation` that is applied to the clean images. Received: "
                f"{given or 'neither'}"
            )
        if self.preset is not None and self.network is not None:
            raise ValueError(
                "Pass either a `preset` to start from, or a new `network`. Received: "
                f"preset={self.preset!r}, network={self.network!r}"
            )
        paired = self.degraded is not None
        wanted = "validation_degraded" if paired else None
        if self.validation_clean is None or not paired:
            if self.validation_degraded is not None:
                raise ValueError(
                    "`validation_degraded` requires `validation_clean` and `degraded`. "
                    "Received: "
                    f"validation_degraded={self.validation_degraded!r}"
                )
        elif self.validation_degraded is None:
            raise ValueError(
                f"Validation requires pairs: pass `{wanted}` too. Received: "
                f"validation_clean={self.validation_clean!r}"
            )
        if self.optimizer is None:
            self.optimizer = "muon" if self.preset is None else "adam"
        if self.learning_rate is None:
            self.learning_rate = OPTIMIZERS[self.optimizer]
        if self.batches_per_epoch is None:
            self.batches_per_epoch = min(MOST_BATCHES_PER_EPOCH, self.batches)

    @classmethod
    def from_dict(cls, settings: Mapping[str, Any]) -> Self:
        """Build a configuration from a dict; unknown names are errors."""
        names = [field.name for field in dataclasses.fields(cls)]
        unknown = [str(name) for name in settings if name not in names]
        if unknown:
            hint = did_you_mean(RENAMED.get(unknown[0], unknown[0]), names)
            raise ValueError(
                f"Unknown setting.{hint} Settings are: {', '.join(names)}. "
                f"Received: {', '.join(unknown)}"
            )
        for name in ("output", "clean"):
            if settings.get(name) is None:
                raise ValueError(
                    f"Training requires `{name}`, the "
                    f"{'output directory' if name == 'output' else 'clean images'}"
                    f" (--{name}, or in the configuration file). Received: "
                    f"{sorted(settings)}"
                )
        return cls(**settings)

    def save(self, path: FilePath) -> None:
        """Write the configuration to a YAML file, atomically."""
        yaml = optional_import("yaml", extra="cli", purpose="Configuring")
        text = yaml.safe_dump(dataclasses.asdict(self), sort_keys=False)
        write_text(path, text)


def read_settings(path: FilePath, written_here: bool = False) -> dict[str, Any]:
    """Read the settings in a YAML file.

    Args:
        path: Path of the file.
        written_here: Bool, whether `TrainingConfig.save` wrote the file. Such a file
            without `noise_unit` is from version 0.1, where eps is a fraction of the
            value range, and is read accordingly.

    Returns:
        Dict, for `TrainingConfig.from_dict`. Names of version 0.1 are replaced by the
        current ones.

    Raises:
        ValueError: If the file is not valid, or has noise without its unit.
        ImportError: If PyYAML is missing.
    """
    settings = _parsed(pathlib.Path(path))
    if settings is None:
        settings = {}
    if not isinstance(settings, dict):
        raise ValueError(
            "A configuration must be lines of `name: value`. Received: "
            f"path={str(path)!r} with a {type(settings).__name__}"
        )
    for old, new in RENAMED.items():
        if old in settings and new in settings:
            raise ValueError(
                f"`{old}` is the old name of `{new}`; use one of them. Received: "
                f"path={str(path)!r} with both"
            )
    settings = {RENAMED.get(name) or name: value for name, value in settings.items()}
    noise = settings.get("noise_schedule")
    if noise is None or "noise_unit" in settings:
        return settings
    try:
        noise = float(noise)  # YAML reads 1e-2, without a point, as text.
    except (TypeError, ValueError):
        pass
    schedule = noise_schedules.get(noise)
    if written_here:
        schedule = noise_schedules.from_value_range(schedule)
        settings["noise_schedule"] = keras.saving.serialize_keras_object(schedule)
    elif not schedule.is_zero:
        raise ValueError(_without_unit(noise, schedule, path))
    return settings


def _without_unit(noise, schedule, path):
    """Return the error for noise of unknown unit, with both readings."""
    level = 127.5 * float(ops.convert_to_numpy(schedule.scale(1.0)))
    same = f"`noise_schedule: {noise}`" if is_number(noise) else "`noise_schedule`"
    doubled = (
        f"`noise_schedule: {2 * noise:g}`" if is_number(noise) else "twice the eps"
    )
    return (
        f"Add the line `noise_unit: {noise_schedules.UNIT}`: in a file, "
        f"`noise_schedule` needs its unit, and {same} then is noise of {level:g} grey "
        "levels at t = 1, for images in [-1, 1] as in the paper. In a file of "
        "keras_indi 0.1, where eps was a fraction of the value range "
        f"({2 * level:g} grey levels of 255), also write {doubled}. "
        f"Received: noise_schedule={noise!r} without "
        f"`noise_unit` in {str(path)!r}"
    )


def _parsed(path):
    """Return the parsed content of a YAML file."""
    yaml = optional_import("yaml", extra="cli", purpose="Configuring")
    received = f"Received: path={str(path)!r}"
    try:
        value = yaml.safe_load(path.read_text(encoding="utf-8"))
        size = _written_out(value, {})
    except UnicodeDecodeError as error:
        raise ValueError(
            f"A configuration must be text in UTF-8: {error}. {received}"
        ) from error
    except yaml.YAMLError as error:
        raise ValueError(f"Not valid YAML: {error}. {received}") from error
    except RecursionError as error:
        raise ValueError(
            f"A configuration must not contain itself. {received}"
        ) from error
    if size > MAX_VALUES:
        raise ValueError(
            f"A configuration may hold {MAX_VALUES} values, with its aliases expanded. "
            f"{received} with {size}"
        )
    return value


def _written_out(value, counted):
    """Return the number of values after expanding all aliases."""
    if not isinstance(value, (dict, list)):
        return 1
    if id(value) not in counted:
        inner = value.values() if isinstance(value, dict) else value
        counted[id(value)] = 1 + sum(_written_out(part, counted) for part in inner)
    return counted[id(value)]


def _without_arrays(value):
    """Return a value with Python's numbers and lists, which YAML can hold."""
    if isinstance(value, (np.generic, np.ndarray)):
        return value.tolist()
    if isinstance(value, dict):
        return {name: _without_arrays(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return type(value)(map(_without_arrays, value))
    return value


def _checked(field, value):
    """Return the value converted to the type of the setting."""
    annotation = typing.get_type_hints(TrainingConfig)[field.name]
    kinds = (annotation,)
    if isinstance(annotation, types.UnionType):
        kinds = typing.get_args(annotation)
    if value is None and types.NoneType in kinds:
        return None
    if isinstance(value, pathlib.Path):
        value = str(value)
    value = _without_arrays(value)
    if float in kinds and not isinstance(value, bool):
        # (YAML reads 1e-4, without a point, as text.)
        try:
            return float(value)
        except (TypeError, ValueError):
            pass
    whole = isinstance(value, bool) and bool not in kinds
    if whole or not isinstance(value, kinds):
        names = " or ".join(kind.__name__ for kind in kinds if kind is not type(None))
        raise ValueError(
            f"`{field.name}` must be of type {names}. Received: {field.name}={value!r}"
        )
    return value
