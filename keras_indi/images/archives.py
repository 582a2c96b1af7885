"""Archives of arrays, which are read whole or refused by name."""

import numpy as np

from keras_indi.annotations import FilePath


def read_archive(path: FilePath, remedy: str) -> dict[str, np.ndarray]:
    """Reads an `.npz` file.

    Args:
        path: Path of the file.
        remedy: String, what to do where it is damaged, for the error.

    Returns:
        Dict of names to arrays.

    Raises:
        ValueError: If it is damaged, or no such file.
        FileNotFoundError: If it is not there.
    """
    try:
        with np.load(path) as archive:
            return dict(archive)
    except FileNotFoundError:
        raise
    except Exception as error:  # zipfile, zlib and NumPy raise of all kinds
        raise ValueError(
            f"The file is damaged, or no archive of arrays; {remedy}. Received: "
            f"{str(path)!r} ({error})"
        ) from error
