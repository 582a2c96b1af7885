"""Names of presets: those that are shipped, and where any handle leads."""

import os
import pathlib

from keras_indi.presets import hub
from keras_indi.presets.files import (
    CONFIG_FILE,
    METADATA_FILE,
    is_preset,
    read_json,
)

# A folder here is a shipped preset: nothing else lists them.
PRESETS_FOLDER = pathlib.Path(__file__).parent / "data"


def list_presets():
    """The presets that are shipped.

    Returns:
        Dict of names, in alphabetical order, to the dicts of their
        `metadata.json`. `weights_sha256` is `None` where a preset is an
        architecture without weights.

    Example:

    >>> keras_indi.presets.list_presets()["indi_jpeg_q15"]["task"]
    'JPEG artefacts'
    """
    return {
        folder.name: read_json(folder / METADATA_FILE)
        for folder in sorted(PRESETS_FOLDER.glob("*"))
        if is_preset(folder)
    }


def locate(preset):
    """The local folder of a preset, downloaded if need be.

    Args:
        preset: Name of a shipped preset, path of a folder, or a handle of
            `hub.SCHEMES`.

    Returns:
        `pathlib.Path` of a folder with the files of a preset.

    Raises:
        ValueError: If it is none of these.
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
        shipped = PRESETS_FOLDER / preset
        if preset in os.listdir(PRESETS_FOLDER) and is_preset(shipped):
            return shipped
    folder = pathlib.Path(preset)
    if folder.is_file():
        raise _no_preset(
            preset,
            "This is a file; a `.keras` file is loaded by "
            "`keras.saving.load_model(path)`",
        )
    if not folder.is_dir():
        raise _no_preset(preset)
    if not is_preset(folder):
        raise _no_preset(preset, _lacking(folder))
    return folder


def _lacking(folder):
    missing = [
        name for name in (CONFIG_FILE, METADATA_FILE) if not (folder / name).is_file()
    ]
    return f"The folder lacks {' and '.join(missing)}"


def _no_preset(preset, reason="There is none of this name"):
    names = ", ".join(list_presets())
    return ValueError(
        f"{reason}. A preset is one of: the name of a shipped one ({names}); a "
        "local folder, such as './my_preset'; 'hf://user/name'; "
        "'kaggle://user/model/keras/variant'; 'gs://bucket/folder'. Received: "
        f"preset={preset!r}"
    )
