"""One training from its configuration to a restorer, resumable at every batch."""

import csv
import dataclasses
import inspect
import json
import pathlib
from typing import TYPE_CHECKING, Any

import keras

from keras_indi import data
from keras_indi.backend.precision import fastest_dtype
from keras_indi.callbacks import BackupAndResume, RestorationMonitor
from keras_indi.callbacks.tensorboard_scalars import TensorBoardScalars
from keras_indi.data import degradations
from keras_indi.images.whole_writes import write_whole
from keras_indi.models import AveragedAdam, InDI, UNetBackbone, load_restorer
from keras_indi.models.loading import POLICIES
from keras_indi.schedules import noise_schedule as noise_schedules
from keras_indi.training.training_config import read_settings

if TYPE_CHECKING:
    from keras_indi.data.degradations import Degradation
    from keras_indi.data.pairs import Pairs
    from keras_indi.training.training_config import TrainingConfig

# The network of the shipped presets.
NETWORK = {
    "base_channels": 64,
    "channel_multipliers": (1, 2),
    "blocks_per_level": 2,
    "patch_size": 2,
    "condition_on_degraded": True,
}
MODEL = "restorer.keras"
PREVIEWED = 4  # validation crops that are restored at the end of an epoch


def train(config: "TrainingConfig", verbose: int | str = "auto") -> pathlib.Path:
    """Trains, or goes on with a training that was interrupted.

    The folder `config.output` holds, from the beginning on, `config.yaml`; while it
    trains, `backup.weights.h5`, `training.csv`, with validation images `best.keras`
    of the lowest validation loss and `previews`; and in the end `restorer.keras`
    and the same as a preset in the folder `preset`. Run again it goes on at the
    next batch, and where it is done it does nothing.

    Args:
        config: A `TrainingConfig`.
        verbose: As for `keras.Model.fit`.

    Returns:
        `pathlib.Path` of `restorer.keras`.

    Raises:
        ValueError: If a setting is not valid, or the folder holds a training of
            other settings.
        ImportError: If a library that a setting needs is missing.

    Example:

    ```python
    config = TrainingConfig(
        output="runs/jpeg", clean="photographs", degradation="jpeg_compression"
    )
    model = keras.saving.load_model(train(config))
    ```
    """
    output = pathlib.Path(config.output)
    path = output / MODEL
    _check_same(config, output / "config.yaml")
    if path.exists():
        return path
    keras.utils.set_random_seed(config.seed)
    model = build_model(config)
    pairs, validation = build_pairs(config, model)
    config.save(output / "config.yaml")
    model.fit(
        pairs,
        validation_data=validation,
        epochs=-(-config.batches // len(pairs)),
        callbacks=_callbacks(config, output, pairs, validation),
        verbose=verbose,
    )
    model.save_to_preset(output / "preset", metadata=_metadata(config))
    return write_whole(path, model.save)


def build_model(config: "TrainingConfig") -> InDI:
    """The restorer of a configuration, compiled."""
    dtype = fastest_dtype() if config.dtype == "auto" else config.dtype
    if config.preset is not None:
        model = load_restorer(config.preset, dtype)
        if not isinstance(model, InDI):
            raise ValueError(
                "`preset` must hold an InDI model. Received: "
                f"preset={config.preset!r} with a {type(model).__name__}"
            )
        if config.time_distribution is not None:
            model.time_distribution = config.time_distribution
        if config.noise_schedule is not None:
            model.noise_schedule = config.noise_schedule
        if config.own_states is not None:
            model.own_states = config.own_states
        if config.scale is not None:
            model.scale = config.scale
    else:
        network = {**NETWORK, **(config.network or {})}
        known = set(inspect.signature(UNetBackbone).parameters) - {"dtype", "kwargs"}
        if not network.keys() <= known:
            raise ValueError(
                f"`network` takes {', '.join(sorted(known))}. Received: "
                f"network={config.network!r}"
            )
        network = UNetBackbone(**_tupled(network), dtype=POLICIES[dtype])
        model = InDI(
            network,
            time_distribution=config.time_distribution or "uniform",
            noise_schedule=config.noise_schedule or 0.0,
            seed=config.seed,
            own_states=config.own_states or 0.0,
            scale=config.scale or 1,
        )
    rate = config.learning_rate
    if config.learning_rate_schedule == "cosine":
        rate = keras.optimizers.schedules.CosineDecay(rate, config.batches)
    averaged = config.ema_momentum is not None
    optimizer = AveragedAdam(
        rate,
        averaged,
        config.ema_momentum or 0.0,
        global_clipnorm=config.global_clipnorm,
    )
    model.compile(optimizer)
    return model


def build_pairs(config: "TrainingConfig", model: InDI) -> "tuple[Pairs, Pairs | None]":
    """The pairs to train on, and those to validate on or `None`."""
    options: dict[str, Any] = {
        "image_channels": model.image_channels or 3,
        "crop_size": config.crop_size,
        "batch_size": config.batch_size,
        "seed": config.seed,
    }
    if tuple(model.value_range or ()) != (0, 255):
        options |= {"dtype": "float32", "value_range": model.value_range}

    def make(clean, degraded, **more):
        return data.pairs_from_folders(
            clean, degraded=degraded, degradation=degradation, **options, **more
        )

    degradation = build_degradation(config.degradation)
    pairs = make(
        config.clean, config.degraded, batches_per_epoch=config.batches_per_epoch
    )
    if config.validation_clean is None:
        return pairs, None
    held_out = config.validation_clean, config.validation_degraded
    return pairs, make(*held_out, training=False)


def build_degradation(description: Any) -> "Degradation | None":
    """The `Degradation` that a configuration describes, or `None`.

    Args:
        description: A name; a dict of `name` and arguments; a list of these, one
            after another; or a serialized config. Pairs `[low, high]` are ranges.
    """
    if isinstance(description, list):
        return degradations.Compose([build_degradation(item) for item in description])
    if not isinstance(description, dict) or "name" not in description:
        return None if description is None else degradations.get(description)
    arguments = _tupled(description)
    name = arguments.pop("name")
    if name not in degradations.BUILTIN:
        raise ValueError(
            f"A degradation's name is one of {', '.join(degradations.BUILTIN)}. "
            f"Received: name={name!r}"
        )
    try:
        return degradations.BUILTIN[name](**arguments)
    except TypeError as error:
        raise ValueError(
            f"These are no arguments of {name} ({error}). Received: {description!r}"
        ) from error


def _tupled(settings):
    """YAML has lists alone, where Python's pairs are tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
    }


def _check_same(config, path):
    """A folder holds one training."""
    if not path.exists():
        return
    earlier = read_settings(path, written_here=True)
    settings = dataclasses.asdict(config)
    differing = {
        name: earlier.get(name)
        for name, value in settings.items()
        if name not in ("output", "noise_unit")
        and _comparable(name, earlier.get(name)) != _comparable(name, value)
    }
    if differing:
        raise ValueError(
            "The folder holds a training of other settings: go on with those, or "
            f"choose another `output`. Received: {differing} in {str(path)!r}, "
            f"{ {name: settings[name] for name in differing} } here"
        )


def _comparable(name, value):
    """A setting as it compares with what a file holds of it."""
    if name == "noise_schedule" and value is not None:
        return noise_schedules.get(value)
    # YAML has lists alone.
    return json.loads(json.dumps(value))


def _callbacks(config, output, pairs, validation):
    callbacks = [
        BackupAndResume(
            output / "backup.weights.h5",
            pairs,
            every=min(100, config.batches_per_epoch),
        ),
        StopAfter(config.batches, pairs),
    ]
    if validation is not None:
        degraded, clean = validation[0]
        callbacks.append(
            RestorationMonitor(
                degraded[:PREVIEWED],
                clean[:PREVIEWED],
                log_dir=output / "previews",
                tensorboard=config.tensorboard,
            )
        )
    if config.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if validation is not None:
        callbacks.append(KeepBest(output / "best.keras", output / "training.csv"))
    if config.tensorboard:
        callbacks.append(TensorBoardScalars(output / "tensorboard"))
    callbacks.append(
        keras.callbacks.CSVLogger(str(output / "training.csv"), append=True)
    )
    return callbacks


class StopAfter(keras.callbacks.Callback):
    """Ends a fit after a number of batches, also one that was resumed."""

    def __init__(self, steps: int, pairs: "Pairs") -> None:
        super().__init__()
        self.steps = steps
        self.pairs = pairs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        begun = self.pairs.get_state()["next_batch"] % len(self.pairs)
        self._first = epoch * len(self.pairs) + begun

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._first + batch + 1 >= self.steps:
            self.model.stop_training = True


class KeepBest(keras.callbacks.Callback):
    """Keeps the model of the lowest validation loss, also over resumptions."""

    def __init__(self, path: pathlib.Path, log: pathlib.Path) -> None:
        super().__init__()
        self.path = path
        self.log = log

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._lowest = float("inf")
        if self.path.exists() and self.log.exists():
            with open(self.log, newline="") as file:
                losses = [float(row["val_loss"]) for row in csv.DictReader(file)]
            self._lowest = min(losses, default=self._lowest)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss", float("inf"))
        if loss < self._lowest:
            self._lowest = loss
            write_whole(self.path, self.model.save)


def _metadata(config):
    """What the preset tells of its training."""
    settings = dataclasses.asdict(config)
    names = ("batch_size", "crop_size", "learning_rate", "ema_momentum")
    folder = pathlib.Path(config.clean).name
    known = {
        "training_data": [{"name": folder, "terms": "known to who trained it"}],
        "training": {
            "steps": config.batches,
            **{name: settings[name] for name in names},
        },
    }
    degradation = build_degradation(config.degradation)
    return known if degradation is None else {**known, "degradation": degradation}
