"""Reading and writing of preset folders."""

import dataclasses
import os
import pathlib

import keras

from keras_indi.images.whole_writes import (
    move_into_place,
    naming_full_disks,
    temporary_beside,
)
from keras_indi.presets import weights
from keras_indi.presets.files import (
    CARD_FILE,
    CONFIG_FILE,
    FILES,
    METADATA_FILE,
    TASK_FILE,
    WEIGHTS_FILE,
    as_json,
    is_preset,
    read_json,
)
from keras_indi.presets.handles import locate
from keras_indi.presets.metadata import checked_metadata, found_out
from keras_indi.presets.model_card import is_handwritten, make_card
from keras_indi.presets.safety import check_config

# What of a Keras config makes an object: no optimizer comes with a preset.
CONFIG_KEYS = ("module", "class_name", "registered_name", "config", "build_config")


@dataclasses.dataclass
class Preset:
    """Content of a preset's files, before anything is built.

    Args:
        handle: The user's handle, for errors.
        folder: `pathlib.Path` of the files.
        config: Dict, Keras's config of the backbone.
        task: Dict, Keras's config of the restorer, or `None`.
        metadata: Dict.
    """

    handle: str
    folder: pathlib.Path
    config: dict
    task: dict | None
    metadata: dict

    def check_weights(self):
        """Raise a ValueError unless the weights exist and are intact."""
        path, wanted = self.folder / WEIGHTS_FILE, self.metadata.get("weights_sha256")
        if not path.is_file() and wanted is None:
            raise ValueError(
                "This preset is an architecture without weights. Pass "
                "`load_weights=False` to get a network to train. Received: "
                f"preset={self.handle!r}"
            )
        weights.check_checksum(self.folder, self.metadata, f"preset={self.handle!r}")

    def stored_layout(self):
        """Return a dict from the names of the stored weights to their shapes."""
        return weights.stored_layout(self.folder / WEIGHTS_FILE, self.handle)

    def load_weights(self, backbone, layout):
        """Load the weights into a built backbone, if their `stored_layout` matches."""
        weights.check_layout(layout, backbone, self.handle)
        backbone.load_weights(self.folder / WEIGHTS_FILE)


def read(preset):
    """Read the configs of a preset, and check that they name only allowed classes.

    Args:
        preset: As for `InDI.from_preset`.

    Returns:
        `Preset`.

    Raises:
        ValueError: If it is not a valid preset.
    """
    folder, handle = locate(preset), os.fspath(preset)
    config = _read_config(folder / CONFIG_FILE, handle)
    task = None
    if os.path.lexists(folder / TASK_FILE):
        if not (folder / TASK_FILE).is_file():  # a link that leads nowhere, a pipe
            raise ValueError(f"{TASK_FILE} must be a file. Received: preset={handle!r}")
        task = _read_config(folder / TASK_FILE, handle)
        if task["config"].get("backbone") != config:
            raise ValueError(
                f"{TASK_FILE} and {CONFIG_FILE} must describe the same backbone. "
                f"Received: preset={handle!r}"
            )
    return Preset(handle, folder, config, task, read_json(folder / METADATA_FILE))


def write(preset_dir, backbone, task, metadata, weights_dtype, save_weights):
    """Write a preset: atomically, or file by file over an existing preset.

    Args:
        preset_dir: Path of the folder.
        backbone: The built Keras model with the weights.
        task: The restorer around it, or `None`.
        metadata: Dict of metadata from the author; see `MAKERS_KEYS`.
        weights_dtype: `"float32"` or `"float16"`.
        save_weights: Bool, `False` to save only the architecture.

    Returns:
        `pathlib.Path` of the folder.

    Raises:
        ValueError: If an argument, or the model, is not valid.
    """
    folder, texts, facts = _prepared(
        preset_dir, backbone, task, metadata, weights_dtype
    )
    with temporary_beside(folder) as whole, naming_full_disks(folder):
        whole.mkdir()
        facts.update(weights_sha256=None, weights_dtype=None, weights_bytes=0)
        if save_weights:
            path = whole / WEIGHTS_FILE
            weights.write_weights(backbone, path, weights_dtype)
            facts.update(
                weights_sha256=weights.checksum(path),
                weights_dtype=weights_dtype,
                weights_bytes=path.stat().st_size,
            )
        texts[METADATA_FILE] = facts
        for name, content in texts.items():
            (whole / name).write_text(as_json(content), encoding="utf-8")
        if not is_handwritten(folder / CARD_FILE):
            text = make_card(folder.resolve().name, facts)
            (whole / CARD_FILE).write_text(text, encoding="utf-8")
        _move_into_place(whole, folder)
    return folder


def check(preset_dir, backbone, task, metadata):
    """Check the arguments of `write` without writing anything.

    This allows a check before a training of hours.
    """
    _, texts, facts = _prepared(preset_dir, backbone, task, metadata, "float32")
    for content in (*texts.values(), facts):
        as_json(content)


def _prepared(preset_dir, backbone, task, metadata, weights_dtype):
    """Return the checked folder, the configs by file name, and the metadata."""
    folder = pathlib.Path(os.path.expanduser(preset_dir))
    if weights_dtype not in weights.DTYPES:
        raise ValueError(
            f"`weights_dtype` must be one of {weights.DTYPES}. Received: "
            f"weights_dtype={weights_dtype!r}"
        )
    if not (isinstance(backbone, keras.Model) and backbone.built):
        raise ValueError(
            "A preset is made of a backbone that is a built `keras.Model`. Received: "
            f"backbone={backbone!r}"
        )
    facts = {**checked_metadata(metadata), **found_out(backbone, task)}
    config = _without_dtype(keras.saving.serialize_keras_object(backbone))
    texts = {CONFIG_FILE: config}
    if task is not None:
        # A preset draws new seeds each time it is loaded.
        task = keras.saving.serialize_keras_object(task)
        task["config"] = {**task["config"], "backbone": config, "seed": None}
        texts[TASK_FILE] = {key: task[key] for key in CONFIG_KEYS if key in task}
    for name, content in texts.items():
        check_config(content, name, folder)
    _check_folder(folder)
    return folder, texts, facts


def _read_config(path, handle):
    config = read_json(path)
    if not (
        isinstance(config.get("class_name"), str)
        and isinstance(config.get("config"), dict)
    ):
        raise ValueError(
            f"A preset's {path.name} must be what "
            "`keras.saving.serialize_keras_object` writes, with `class_name` and "
            f"`config`; this one, perhaps of another library, has {sorted(config)}. "
            f"Received: preset={handle!r}"
        )
    check_config(config, path.name, handle)
    return {key: config[key] for key in CONFIG_KEYS if key in config}


def _without_dtype(config):
    """Return a config without the compute dtype, which is chosen on loading.

    The dtype of training need not be that of restoration. (A functional model has no
    dtype of its own; its layers keep theirs.)
    """
    inner = {key: value for key, value in config["config"].items() if key != "dtype"}
    kept = {key: config[key] for key in CONFIG_KEYS if key in config}
    return {**kept, "config": inner}


def _check_folder(folder):
    """Raise a ValueError if unrelated files would be overwritten."""
    theirs = [name for name in FILES if name != CARD_FILE and (folder / name).exists()]
    if folder.is_file() or (theirs and not (is_preset(folder) or _is_begun(folder))):
        raise ValueError(
            "`preset_dir` must be a new or empty folder, or one of a preset, which is "
            f"replaced. Received: preset_dir={str(folder)!r}, with {theirs or 'a file'}"
        )


def _is_begun(folder):
    """Return whether a folder is a preset whose replacement was interrupted."""
    try:
        return bool(_read_config(folder / CONFIG_FILE, str(folder)))
    except (OSError, ValueError):
        return False


def _move_into_place(whole, folder):
    if not folder.exists():
        move_into_place(whole, folder)
        return
    # Without its metadata, the folder is no preset. So a preset is never mixed.
    for name in (METADATA_FILE, TASK_FILE, WEIGHTS_FILE):
        (folder / name).unlink(missing_ok=True)
    for name in FILES:
        if (whole / name).is_file():
            move_into_place(whole / name, folder / name)
