"""Read files that the package wrote itself, with an error for damaged ones."""

import json
import pathlib
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath


def read_archive(path: FilePath, remedy: str) -> dict[str, np.ndarray]:
    """Read an `.npz` file.

    Args:
        path: Path of the file.
        remedy: String, what to do if the file is damaged, for the error message.

    Returns:
        Dict of names to arrays.

    Raises:
        ValueError: If the file is damaged or not an `.npz` file.
        FileNotFoundError: If the file does not exist.
    """
    try:
        with np.load(path) as archive:
            return dict(archive)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise many exception types
        raise ValueError(
            f"The file is damaged, or not an archive of arrays; {remedy}. Received: "
            f"{str(path)!r} ({error})"
        ) from error


def read_record(path: pathlib.Path, what: str, remedy: str) -> dict[str, Any]:
    """Read the dict in a JSON file.

    Args:
        path: `pathlib.Path` of the file.
        what: String, what the file contains, for the error message.
        remedy: String, what to do if the file is damaged, for the error message.

    Returns:
        Dict.

    Raises:
        ValueError: If the file is damaged or contains no dict.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        if isinstance(found, dict):
            return found
        reason: object = f"a {type(found).__name__}"
    except (ValueError, RecursionError, IsADirectoryError) as error:
        reason = error
    raise ValueError(
        f"The file that says {what} is damaged; {remedy}. Received: {str(path)!r} "
        f"({reason})"
    )
