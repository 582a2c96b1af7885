"""Files that are written whole or not at all."""

import os
import pathlib
import shutil
from collections.abc import Callable
from typing import Any

from keras_indi.annotations import FilePath


def write_whole(path: FilePath, save: Callable[[str], Any]) -> pathlib.Path:
    """Saves under another name first, so that no half-written file is left.

    Args:
        path: String or path of the file to write. Its folder is made if it is
            not there.
        save: Function that writes a file, or a folder where `path` is none yet, at
            the string path it is given, such as `model.save` or a Pillow image's
            `save`.

    Returns:
        `pathlib.Path` of the file.
    """
    path = pathlib.Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # The name ends as asked for: its ending often chooses the format.
    partial = path.with_name(f"partial-{path.name}")
    _remove(partial)  # of a process that was killed
    try:
        save(str(partial))
        os.replace(partial, path)
    finally:
        _remove(partial)
    return path


def _remove(path):
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
