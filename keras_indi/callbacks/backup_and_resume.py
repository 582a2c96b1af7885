"""Backup of a fit that resumes at the very next batch."""

import hashlib
import json
import pathlib
import warnings
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import FilePath
from keras_indi.backend import processes
from keras_indi.backend.keras_private import begin_at_epoch
from keras_indi.images.whole_writes import remove_left_overs, write_whole
from keras_indi.models.saving import check_finite
from keras_indi.presets.weights import save_weights
from keras_indi.validation import checked_integer

if TYPE_CHECKING:
    from keras_indi.data.pairs import Pairs

# The group of the backup file for everything that `Model.save_weights` does not save.
GROUP = "backup_and_resume"


class BackupAndResume(keras.callbacks.Callback):
    """Back up a fit regularly, and resume it at the next batch when run again.

    `keras.callbacks.BackupAndRestore` resumes at the start of an epoch, with whatever
    data come next. This callback also saves the position in the epoch and in the data,
    the state of the metrics, and the seeds that the model saves (`InDI` saves them). So
    an interrupted and resumed training ends with the same weights, bit for bit, as an
    uninterrupted one, provided that the steps themselves are deterministic.

    The backup is a single file, written atomically. It is removed when `fit` is done,
    or with `keep`, by `remove`: save the model before you remove the backup of a long
    training. Weights that are not finite end the fit, and the last backup is kept. The
    backup does not include the state of other callbacks or the history of finished
    epochs. When several processes train together, the first writes the file and all
    read it, so they must share the disk.

    Args:
        path: Path of the backup file, ending in `.weights.h5`.
        pairs: The `keras_indi.data.Pairs` passed to `fit`.
        every: Int >= 1, number of batches between backups. A backup due at the end of
            an epoch is made before its last batch: a fit that is interrupted during
            validation, or before the next epoch, repeats that one batch.
        keep: Bool, whether the file stays when `fit` is done, until `remove` is
            called. Defaults to `False`.

    Raises:
        ValueError: If an argument is not valid. At the start of `fit`, if the backup is
            damaged or belongs to other pairs, images or another model, or if
            `steps_per_epoch` is given. During `fit`, if a weight is not finite.

    Example:

    ```python
    pairs = keras_indi.data.pairs_from_folders("clean", degraded="noisy")
    backup = keras_indi.callbacks.BackupAndResume("backup.weights.h5", pairs, keep=True)
    model.fit(pairs, epochs=100, callbacks=[backup])  # run it again: it continues
    model.save("restorer.keras")
    backup.remove()
    ```
    """

    def __init__(
        self, path: FilePath, pairs: "Pairs", every: int = 100, keep: bool = False
    ) -> None:
        super().__init__()
        self.path = pathlib.Path(path)
        if not self.path.name.endswith(".weights.h5"):
            raise ValueError(
                f"`path` must end in '.weights.h5'. Received: path={str(path)!r}"
            )
        if not (hasattr(pairs, "get_state") and hasattr(pairs, "set_state")):
            raise ValueError(
                "`pairs` must be those passed to `fit`, with `get_state` and "
                f"`set_state`. Received: pairs of type {type(pairs).__name__}"
            )
        self.pairs = pairs
        self.every = checked_integer("every", every)
        self.keep = keep

    def remove(self) -> None:
        """Remove the backup. Call this once the model is saved."""
        if processes.is_first():
            self.path.unlink(missing_ok=True)

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        if self.params.get("steps") not in (None, len(self.pairs)):
            raise ValueError(
                "Pass `batches_per_epoch` to the pairs, not `steps_per_epoch` to "
                f"`fit`. Received: steps_per_epoch={self.params['steps']}, pairs "
                f"with {len(self.pairs)} batches an epoch"
            )
        # Files as large as a backup must not accumulate.
        remove_left_overs(self.path.absolute().parent, alone=False)
        self._unsaved = 0
        self._epoch_start = self.pairs.get_state()
        self._metrics = None  # of the interrupted epoch
        self._quiet: Any = None
        if self.path.exists():
            self._restore()

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        # Restored only once: a later fit must not start there too.
        begin_at_epoch(self.model, None)
        self._epoch = epoch
        self._epoch_start = self.pairs.get_state()
        self._trained = 0  # batches of this epoch, since it began or was resumed
        begun = self._epoch_start["next_batch"] % len(self.pairs)
        self._length = len(self.pairs) - begun
        if self._metrics is not None:
            for variable, value in zip(self.model.metrics_variables, self._metrics):
                variable.assign(value)
            self._metrics = None

    def on_train_batch_begin(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        # Here, not at the end of a batch: the last batch of an epoch is followed by
        # validation and callbacks, which a resumed fit must not miss.
        if batch >= self._length:
            # The end of a resumed epoch, which Keras takes to be longer. The step
            # that it would begin has no data, but on TensorFlow draws its noise.
            raise StopIteration
        steps = self.model.steps_per_execution
        if batch + steps >= self._length and self._unsaved:
            # The epoch's last: what comes between it and the next epoch may take long,
            # and is repeated with it.
            due = self._unsaved + steps >= self.every
        else:
            due = self._unsaved >= self.every
        if due:
            self._save()

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        self._unsaved += batch + 1 - self._trained
        self._trained = batch + 1
        if self._length < len(self.pairs) and self._trained >= self._length:
            # To Keras, this epoch is short. Only now: what interrupts an epoch would
            # leave the filters of warnings changed.
            self._quiet = warnings.catch_warnings()
            self._quiet.__enter__()
            warnings.filterwarnings("ignore", message="Your input ran out of data")

    def on_test_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._end_quiet()

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        self._end_quiet()

    def _end_quiet(self):
        if self._quiet is not None:
            self._quiet.__exit__(None, None, None)
            self._quiet = None

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        begin_at_epoch(self.model, None)
        if not self.keep:
            self.remove()

    def _save(self):
        check_finite(self.model)
        processes.in_first(write_whole, self.path, self._write)
        self._unsaved = 0

    def _write(self, path):
        import h5py

        start = self._epoch_start
        position = {**start, "next_batch": start["next_batch"] + self._trained}
        metrics = [ops.convert_to_numpy(v) for v in self.model.metrics_variables]
        save_weights(self.model, path)
        with h5py.File(path, "r+") as file:
            group = file.create_group(GROUP)
            state = json.dumps({"epoch": self._epoch, "data": position})
            group.attrs["state"] = state
            group.attrs["state_digest"] = _digest_of_text(state)
            for index, value in enumerate(metrics):
                group.create_dataset(str(index), data=value)
            group.attrs["digest"] = _digest(file)

    def _restore(self):
        try:
            found = self._read()
        except Exception as error:  # h5py raises of all kinds
            raise ValueError(
                "The backup is damaged. Remove it to start again. "
                f"Received: path={str(self.path)!r} ({error})"
            ) from error
        if found is None:
            raise ValueError(
                "`path` must be a file that this callback has written, or not "
                f"exist. Received: path={str(self.path)!r}"
            )
        state, metrics = found
        self.pairs.set_state(state["data"])
        model = self.model
        if not model.optimizer.built:
            model.optimizer.build(model.trainable_variables)
        try:
            model.load_weights(self.path)
        except Exception as error:  # of Keras too
            raise ValueError(
                "The backup is of another model. Remove it to start again, or build "
                f"the model as it was. Received: path={str(self.path)!r} ({error})"
            ) from error
        begin_at_epoch(model, state["epoch"])
        if state["data"]["next_batch"] % len(self.pairs):
            self._metrics = metrics

    def _read(self):
        """Return the saved state and metric values, or `None` if it is no backup."""
        import h5py

        with h5py.File(self.path) as file:
            if GROUP not in file:
                return None
            group, found = file[GROUP], _digest(file)
            text = group.attrs["state"]
            of_text = _digest_of_text(text)
            # Version 0.1 wrote no digest, and version 0.2 none that covers the state.
            if (
                group.attrs.get("digest", found) != found
                or group.attrs.get("state_digest", of_text) != of_text
            ):
                raise OSError("its content has changed since it was written")
            state = json.loads(text)
            return state, [group[str(index)][()] for index in range(len(group))]


def _digest_of_text(text):
    return hashlib.sha256(text.encode()).hexdigest()


def _digest(file):
    """Return the SHA-256 of all values in an HDF5 file, in the order of their names."""
    import h5py

    digest = hashlib.sha256()

    def add(name, entry):
        if isinstance(entry, h5py.Dataset):
            digest.update(f"{name}{entry.shape}{entry.dtype}".encode())
            digest.update(np.ascontiguousarray(entry[()]).tobytes())

    file.visititems(add)
    return digest.hexdigest()
