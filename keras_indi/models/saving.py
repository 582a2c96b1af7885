"""Safe saving of trained models."""

import pathlib
from typing import Any

import keras
import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.whole_writes import write_whole


def save_read_back(model: keras.Model, path: FilePath) -> pathlib.Path:
    """Save a model as a `.keras` file, and verify it by reading it back.

    The file appears only after the verification. The backup of the training can be
    removed after that.

    Args:
        model: `keras.Model`.
        path: Path of the file, ending in `.keras`. Its folder is created.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        ValueError: If a weight is not finite.
        OSError: If the file cannot be written, or does not hold what was written.

    Example:

    ```python
    backup = keras_indi.callbacks.BackupAndResume("backup.weights.h5", pairs, keep=True)
    model.fit(pairs, epochs=100, callbacks=[backup])
    save_read_back(model, "restorer.keras")
    backup.remove()
    ```
    """
    check_finite(model)

    def save(partial: str) -> None:
        model.save(partial)
        check_read_back(model, keras.saving.load_model(partial, compile=False), path)

    return write_whole(path, save)


def check_finite(model: keras.Model) -> None:
    """Raise a ValueError if a weight of a model is not finite."""
    for variable in model.weights:
        value = keras.ops.convert_to_numpy(variable)
        if not np.isfinite(value.astype("float32")).all():
            raise ValueError(
                "The weights are no longer finite: the training has diverged. Start a "
                "new one with a lower learning rate or a `global_clipnorm`. "
                f"Received: weights with {variable.path} = {value.ravel()[:3]}..."
            )


def check_read_back(model: Any, found: Any, path: FilePath) -> None:
    """Raise an OSError unless a loaded model has the weights of the saved one.

    Args:
        model: The saved model.
        found: The model loaded from the file.
        path: Path, for the error.
    """
    pairs = zip(model.get_weights(), found.get_weights(), strict=True)
    if not all(np.array_equal(one, other) for one, other in pairs):
        raise OSError(
            "The file read back differs from what was written: the disk may be "
            f"damaged. Received: {str(path)!r}"
        )
