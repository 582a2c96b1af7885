"""Training of a restorer from a configuration, resumable at every batch."""

import contextlib
import dataclasses
import inspect
import pathlib
from typing import TYPE_CHECKING, Any

import keras

from keras_indi import data
from keras_indi.backend import processes, several_devices
from keras_indi.backend.interrupts import interrupted_by_signals
from keras_indi.backend.precision import fastest_dtype
from keras_indi.callbacks import BackupAndResume, EpochLog, RestorationMonitor
from keras_indi.callbacks.tensorboard_scalars import TensorBoardScalars
from keras_indi.configurable import class_of, name_hint
from keras_indi.data import degradations
from keras_indi.images.folder_lock import locked_folder
from keras_indi.images.whole_writes import remove_left_overs
from keras_indi.models import (
    AveragedAdam,
    AveragedMuon,
    InDI,
    UNetBackbone,
    load_restorer,
)
from keras_indi.models.loading import POLICIES
from keras_indi.models.saving import check_finite, check_read_back, save_read_back
from keras_indi.training import output_dir
from keras_indi.training.keep_best import KeepBest
from keras_indi.training.stop_after import StopAfter

if TYPE_CHECKING:
    from keras_indi.data.degradations import Degradation
    from keras_indi.data.pairs import Pairs
    from keras_indi.training.training_config import TrainingConfig

# The network of the shipped presets.
NETWORK = {
    "base_channels": 64,
    "channel_multipliers": (1, 2, 2),
    "blocks_per_level": (1, 2, 2),
    "patch_size": 2,
    "activation": "relu",
}
PREVIEWED = 4  # validation crops restored at the end of an epoch


def train(config: "TrainingConfig", verbose: int | str = "auto") -> pathlib.Path:
    """Train a restorer, or resume an interrupted training.

    The output directory `config.output` receives:

    - at the start, `config.yaml` and `images.json`, which identify the settings and the
      images;
    - during training, `backup.weights.h5` and `training.csv`, and with validation
      images `previews` and `best.keras`, the model of the lowest validation loss;
    - at the end, `restorer.keras`, and the same model as a preset in the folder
      `preset`. The backup is removed after both have been read back.

    Run it again to resume at the next batch. A finished training does nothing.

    SIGTERM and SIGHUP end it like Ctrl-C, with a `KeyboardInterrupt`. A folder can be
    used by one training at a time. With `devices="all"` it may run in several
    processes. The first process writes and all read, so they must share the disk.

    Args:
        config: A `TrainingConfig`.
        verbose: As for `keras.Model.fit`.

    Returns:
        `pathlib.Path` of `restorer.keras`.

    Raises:
        ValueError: If a setting is not valid; the folder holds a training with other
            settings or images, a damaged backup, or another kind of file in the place
            of an output; another process trains there; or a weight is no longer finite
            (the last backup is kept).
        OSError: If the folder cannot be written to.
        ImportError: If a library required by a setting is not installed.

    Example:

    ```python
    config = TrainingConfig(
        output="runs/jpeg", clean="photographs", degradation="jpeg_compression"
    )
    model = keras.saving.load_model(train(config))
    ```
    """
    output = pathlib.Path(config.output)
    path, backup_path = output / output_dir.MODEL, output / output_dir.BACKUP
    output_dir.check_settings(config)
    if path.is_file():
        # The file is complete. A process killed just after writing it leaves backup and
        # lock; failing to remove them does no harm.
        with contextlib.suppress(OSError), locked_folder(output, "output"):
            backup_path.unlink(missing_ok=True)
        return path
    with contextlib.ExitStack() as stack:
        if config.devices == "all":
            stack.enter_context(several_devices.all_devices())
        keras.utils.set_random_seed(config.seed)
        model = build_model(config)
    pairs, validation = build_pairs(config, model)
    metadata = _metadata(config)
    with contextlib.ExitStack() as stack:
        stack.enter_context(interrupted_by_signals())
        images = {"training": pairs, "validation": validation}
        processes.in_first(_claim, stack, config, model, metadata, images)
        processes.wait_for_all("the folder")
        every = min(100, config.batches_per_epoch or 100)
        if verbose and backup_path.exists() and processes.is_first():
            print(f"Continuing from {backup_path}")
        backup = BackupAndResume(backup_path, pairs, every, keep=True)
        model.fit(
            pairs,
            validation_data=validation,
            epochs=-(-config.batches // len(pairs)),
            callbacks=[backup, *_callbacks(config, model, pairs, validation)],
            verbose=verbose,
        )
        check_finite(model)
        processes.in_first(_save, model, output, metadata)
        # Last, because a training killed before this point resumes from it.
        backup.remove()
        processes.wait_for_all("the results")
    return path


def build_model(config: "TrainingConfig") -> InDI:
    """Build and compile the restorer of a configuration."""
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
        given = config.network or {}
        network = {**NETWORK, **given}
        if "channel_multipliers" in given:  # with as many levels as it has
            network["blocks_per_level"] = given.get("blocks_per_level", 2)
        known = set(inspect.signature(UNetBackbone).parameters) - {"dtype", "kwargs"}
        if not network.keys() <= known:
            raise ValueError(
                f"Arguments of `network` are {', '.join(sorted(known))}. Received: "
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
    kind = AveragedMuon if config.optimizer == "muon" else AveragedAdam
    optimizer = kind(
        rate,
        use_ema=averaged,
        ema_momentum=config.ema_momentum or 0.0,
        global_clipnorm=config.global_clipnorm,
    )
    model.compile(optimizer)
    return model


def build_pairs(
    config: "TrainingConfig", model: InDI, shard: tuple[int, int] | None = None
) -> "tuple[Pairs, Pairs | None]":
    """Build the training pairs, and the validation pairs or `None`.

    Args:
        config: `TrainingConfig`.
        model: The model to train.
        shard: As for `keras_indi.data.make_pairs`.
    """
    options: dict[str, Any] = {
        "image_channels": model.image_channels or 3,
        "crop_size": config.crop_size,
        "max_pixels": config.max_pixels,
        "batch_size": config.batch_size,
        "seed": config.seed,
        "shard": shard,
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
    """Build the `Degradation` that a configuration describes, or return `None`.

    Args:
        description: A name, built-in or registered, such as `"mine>Fog"`; a dict of
            `name` and arguments; a list of these, applied in order; or a serialized
            config. Pairs `[low, high]` are ranges.
    """
    if isinstance(description, list):
        return degradations.Compose([build_degradation(item) for item in description])
    if not isinstance(description, dict) or "name" not in description:
        return None if description is None else degradations.get(description)
    arguments = _tupled(description)
    name = arguments.pop("name")
    if "degradation" in arguments:  # of what another one makes
        arguments["degradation"] = build_degradation(arguments["degradation"])
    known = degradations.BUILTIN
    found = class_of(str(name), degradations.Degradation, known)
    if found is None:
        raise ValueError(
            f"A degradation's name is one of {', '.join(known)}, or a registered "
            f"name.{name_hint(str(name), known)} Received: name={name!r}"
        )
    try:
        return found(**arguments)
    except TypeError as error:
        raise ValueError(
            f"Not arguments of {name} ({error}). Received: {description!r}"
        ) from error


def _tupled(settings):
    """Convert the lists of YAML to Python's tuples."""
    return {
        name: tuple(value) if isinstance(value, list) else value
        for name, value in settings.items()
    }


def _claim(stack, config, model, metadata, images):
    """Lock the folder while `stack` is open, and prepare it."""
    output = pathlib.Path(config.output)
    stack.enter_context(locked_folder(output, "output"))
    for folder in (output, output / output_dir.PREVIEWS):
        remove_left_overs(folder)
    output_dir.claim(config, model, metadata, images)


def _save(model, output, metadata):
    """Write the outputs of the training, and read them back."""
    preset = model.save_to_preset(output / output_dir.PRESET, metadata)
    check_read_back(model, InDI.from_preset(preset), preset)
    save_read_back(model, output / output_dir.MODEL)


def _callbacks(config, model, pairs, validation):
    output = pathlib.Path(config.output)
    callbacks = [StopAfter(config.batches, pairs)]
    if validation is not None:
        shown = validation
        if processes.process_count() > 1:  # the same in all
            _, shown = build_pairs(config, model, shard=(0, 1))
        degraded, clean = shown[0]
        callbacks.append(
            RestorationMonitor(
                degraded[:PREVIEWED],
                clean[:PREVIEWED],
                log_dir=output / output_dir.PREVIEWS,
                tensorboard=config.tensorboard,
            )
        )
    if config.ema_momentum is not None:
        callbacks.append(keras.callbacks.SwapEMAWeights(swap_on_epoch=True))
    if validation is not None:
        log = output / output_dir.LOG
        callbacks.append(KeepBest(output / output_dir.BEST, log))
    if config.tensorboard:
        callbacks.append(TensorBoardScalars(output / output_dir.TENSORBOARD))
    return [*callbacks, EpochLog(output / output_dir.LOG)]


def _metadata(config):
    """Return the metadata of the preset about its training."""
    settings = dataclasses.asdict(config)
    names = ("batch_size", "crop_size", "optimizer", "learning_rate", "ema_momentum")
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
