"""TensorBoard logs on any backend, without TensorFlow."""

import pathlib
import time
from collections.abc import Mapping
from types import ModuleType
from typing import Any

import keras

from keras_indi.annotations import FilePath
from keras_indi.backend import processes
from keras_indi.optional_packages import optional_import


class TensorBoardScalars(keras.callbacks.Callback):
    """Write the logs of each epoch for TensorBoard.

    Unlike this callback, `keras.callbacks.TensorBoard` requires TensorFlow on every
    backend. When several processes train together, only the first one writes.

    Args:
        log_dir: Path of the folder, in which each fit writes a file.

    Raises:
        ImportError: If tensorboard is not installed.

    Example:

    ```python
    model.fit(pairs, epochs=10, callbacks=[TensorBoardScalars("logs")])
    ```
    """

    def __init__(self, log_dir: FilePath) -> None:
        super().__init__()
        require_tensorboard()
        self.log_dir = pathlib.Path(log_dir)
        self._writer: Any = None

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self.on_train_end()  # of a fit that was interrupted
        if processes.is_first():
            self._writer = event_writer(self.log_dir)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:
        if self._writer is not None:
            self._writer.close()  # with its thread
            self._writer = None

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        if self._writer is not None:
            add_event(self._writer, epoch, logs or {})


def require_tensorboard() -> ModuleType:
    """Return the module of writers; raise an ImportError that says how to install."""
    module = "tensorboard.summary.writer.event_file_writer"
    return optional_import(module, "tensorboard", purpose="Logging")


def event_writer(log_dir: FilePath) -> Any:
    """Open a TensorBoard event file in a folder; `close` ends its thread."""
    return require_tensorboard().EventFileWriter(str(log_dir))


def add_event(
    writer: Any, epoch: int, scores: Mapping[str, float], **images: Any
) -> None:
    """Write scores and pictures of an epoch.

    Args:
        writer: The result of `event_writer`.
        epoch: Int.
        scores: Dict from names to numbers.
        **images: Summary images (`tensorboard.compat.proto`) by name.
    """
    from tensorboard.compat.proto.event_pb2 import Event
    from tensorboard.compat.proto.summary_pb2 import Summary

    values = [Summary.Value(tag=n, simple_value=float(v)) for n, v in scores.items()]
    values += [Summary.Value(tag=name, image=image) for name, image in images.items()]
    writer.add_event(
        Event(wall_time=time.time(), step=epoch, summary=Summary(value=values))
    )
    writer.flush()
