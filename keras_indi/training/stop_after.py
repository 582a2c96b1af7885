"""Callback that ends a training after a number of batches."""

from typing import TYPE_CHECKING, Any

import keras

if TYPE_CHECKING:
    from keras_indi.data.pairs import Pairs


class StopAfter(keras.callbacks.Callback):
    """End a fit after a number of batches, counting those before a resumption.

    Args:
        steps: Int, batches.
        pairs: The `keras_indi.data.Pairs` passed to `fit`.
    """

    def __init__(self, steps: int, pairs: "Pairs") -> None:
        super().__init__()
        self.steps = steps
        self.pairs = pairs

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:
        begun = self.pairs.get_state()["next_batch"] % len(self.pairs)
        self._first = epoch * len(self.pairs) + begun

    def on_train_batch_end(
        self, batch: int, logs: dict[str, Any] | None = None
    ) -> None:
        if self._first + batch + 1 >= self.steps:
            self.model.stop_training = True
