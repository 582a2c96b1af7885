"""Callback that saves the best model."""

import math
import pathlib
from typing import Any

import keras

from keras_indi.backend import processes
from keras_indi.callbacks.epoch_log import read_log
from keras_indi.images.whole_writes import write_whole


class KeepBest(keras.callbacks.Callback):
    """Save the model with the lowest validation loss, also across resumed runs.

    Args:
        path: `pathlib.Path` of the model's file.
        log: `pathlib.Path` of the `EpochLog` of the fit.
    """

    def __init__(self, path: pathlib.Path, log: pathlib.Path) -> None:
        super().__init__()
        self.path = path
        self.log = log

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:
        self._lowest = math.inf
        if self.path.exists():
            losses = [float(row["val_loss"]) for row in read_log(self.log).values()]
            finite = [loss for loss in losses if math.isfinite(loss)]
            self._lowest = min(finite, default=self._lowest)

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        loss = (logs or {}).get("val_loss", math.inf)
        if loss < self._lowest:
            self._lowest = loss
            processes.in_first(write_whole, self.path, self.model.save)
