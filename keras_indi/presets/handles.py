"""Handles of presets: shipped names, local folders and hubs."""

import os
import pathlib
from typing import Any

from keras_indi.presets import hub
from keras_indi.presets.files import (
    CONFIG_FILE,
    METADATA_FILE,
    is_preset,
    read_json,
)
from keras_indi.validation import did_you_mean

# Each folder here is a shipped preset. There is no other list.
PRESETS_FOLDER = pathlib.Path(__file__).parent / "data"
# Shipped presets may be named without it: `jpeg` is `indi_small_jpeg`.
PREFIX = "indi_small_"
# Shipped once, and what to do without them.
REMOVED = {
    "motion_deblur": "The preset 'motion_deblur' was removed after version 0.2: it "
    "gained only 0.4 dB. The architecture 'indi_motion_deblur' can be trained on "
    "your pairs.",
}


def list_presets() -> dict[str, dict[str, Any]]:
    """List the shipped presets.

    Returns:
        Dict from names, in alphabetical order, to the content of `metadata.json`.
        `weights_sha256` is `None` for an architecture without weights.

    Example:

    >>> keras_indi.presets.list_presets()["indi_jpeg_q15"]["task"]
    'JPEG artefacts'
    """
    return {
        name: read_json(PRESETS_FOLDER / name / METADATA_FILE)
        for name in _shipped_names()
    }


def locate(preset: str | os.PathLike[str]) -> pathlib.Path:
    """Return the local folder of a preset, downloaded if necessary.

    Args:
        preset: Name of a shipped preset, with or without `indi_small_`; path of a
            folder; or a handle with a scheme in `hub.SCHEMES`. Write a folder with the
            name of a shipped preset as `./jpeg`.

    Returns:
        `pathlib.Path` of a folder with the files of a preset.

    Raises:
        ValueError: If the handle is none of these.
        ImportError: If the hub's client is not installed.
        OSError: If the hub cannot be reached.
    """
    if not isinstance(preset, (str, os.PathLike)):
        raise _no_preset(preset)
    if isinstance(preset, str):
        if "://" in preset:
            if preset.split("://")[0] not in hub.SCHEMES:
                raise _no_preset(preset)
            folder = hub.download(preset)
            if not is_preset(folder):
                raise _no_preset(preset, _lacking(folder))
            return folder
        names = _shipped_names()
        for name in (preset, PREFIX + preset):
            if name in names:
                return PRESETS_FOLDER / name
    folder = pathlib.Path(preset)
    if folder.is_file():
        raise _no_preset(
            preset,
            "This is a file; a `.keras` file is loaded by "
            "`keras.saving.load_model(path)`.",
        )
    if not folder.is_dir():
        raise _no_preset(preset)
    if not is_preset(folder):
        raise _no_preset(preset, _lacking(folder))
    return folder


def _shipped_names() -> list[str]:
    return sorted(
        folder.name for folder in PRESETS_FOLDER.glob("*") if is_preset(folder)
    )


def _lacking(folder: pathlib.Path) -> str:
    missing = [
        name for name in (CONFIG_FILE, METADATA_FILE) if not (folder / name).is_file()
    ]
    return f"The folder lacks {' and '.join(missing)}."


def _no_preset(preset: object, reason: str | None = None) -> ValueError:
    names = _shipped_names()
    if reason is None and isinstance(preset, str):
        reason = REMOVED.get(preset.removeprefix(PREFIX))
    if reason is None:
        short = [name.removeprefix(PREFIX) for name in names]
        hint = did_you_mean(preset, dict.fromkeys([*short, *names]))
        reason = f"No preset has this name.{hint}"
    return ValueError(
        f"{reason} A preset is one of: a shipped one ("
        f"{', '.join(name.removeprefix(PREFIX) for name in names)}); "
        "a local folder, such as './my_preset'; 'hf://user/name'; "
        "'kaggle://user/model/keras/variant'; 'gs://bucket/folder'. Received: "
        f"preset={preset!r}"
    )
