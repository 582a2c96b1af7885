"""Batches of pairs for `fit`, reproducible from a seed."""

import threading
from typing import Any

import keras
import numpy as np

from keras_indi.backend.tensorflow_data import tf_dataset

FINGERPRINT = "fingerprint"  # key of the images' fingerprint in a state
OTHER_IMAGES = (
    "The images are not those that the training began with: files were added, removed, "
    "renamed or replaced. Put them back, or begin a new training."
)


class Pairs(keras.utils.PyDataset):
    """Batches `(degraded, clean)` that threads read ahead, created by `make_pairs`.

    Pass it to `fit` on any backend, as `x` or `validation_data`. Iterating over it
    yields the batches of one epoch. The next iteration, or the next epoch of `fit`,
    continues with the next epoch: in a new order, with new crops, augmentation and
    noise. Batch i of epoch e depends only on the seed, and not on the number of workers
    or on earlier reads. With `training=False`, every epoch is the same.

    Its length is the number of batches per epoch, so `fit` needs no `steps_per_epoch`.

    (A Keras dataset wraps the Grain pipeline, because Keras does not know the length of
    a Grain dataset. It would warn in each epoch that the data ran out, and use the
    length of a resumed epoch for all later ones.)

    Attributes:
        skipped: Dict of name to reason, the images that could not be used so far. A
            warning at the end of the epoch lists them.
        shard: Pair of ints, `(index, count)`, as for `make_pairs`.

    Example:

    >>> pairs = keras_indi.data.pairs_from_folders(
    ...     "clean", degraded="degraded", crop_size=8, batch_size=2
    ... )
    >>> isinstance(pairs, keras_indi.data.Pairs)
    True
    >>> degraded, clean = pairs[0]
    """

    def __init__(
        self,
        pipeline: Any,
        loader: Any,
        batches_per_epoch: int,
        training: bool,
        settings: dict[str, Any],
        shard: tuple[int, int] = (0, 1),
    ) -> None:
        super().__init__()
        self._pipeline = pipeline
        self._loader = loader
        self._batches_per_epoch = batches_per_epoch
        self._training = training
        self._settings = settings
        self.shard = shard
        self._position = 0  # number of the first batch of the next iteration
        # Order in which Keras requested indices in the current epoch.
        self._order: dict[int, int] | None = None
        self._reader: Any = None
        self._reader_next: int | None = 0
        self._lock = threading.RLock()

    @property
    def skipped(self) -> dict[str, str]:
        return dict(self._loader.skipped)

    # === Interface of Keras ===

    def __len__(self) -> int:
        return self._batches_per_epoch

    @property
    def num_batches(self) -> int:
        # Keras reads the usual length before an epoch, and the actual length in it.
        return len(self) if self._order is None else self._remaining()

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        """Read batch `index` of the epoch.

        Within an epoch of `fit`, batches are read in order whatever the index. `fit`
        would otherwise shuffle them again with Python's global random numbers, and
        training could not be resumed.
        """
        with self._lock:
            if not 0 <= index < self._remaining():
                raise IndexError(
                    f"An epoch has {self._remaining()} batches. Received: index={index}"
                )
            if self._order is not None and self._training:
                index = self._order.setdefault(index, len(self._order))
            return self._read(self._position + index)

    def on_epoch_begin(self) -> None:
        self._order = {}

    def on_epoch_end(self) -> None:
        self._order = None
        self._finish_epoch(self._position + self._remaining())

    # === Interface of Python ===

    def __iter__(self) -> "PairsIterator":
        return PairsIterator(self)

    @property
    def fingerprint(self) -> str | None:
        """String that identifies the images, or `None` if the source has none.

        For files it depends on their names and sizes. For data sets of TFDS, it depends
        on their name, version, split and length.
        """
        return self._settings.get(FINGERPRINT)

    def get_state(self) -> dict[str, Any]:
        """Return the position at which the next iteration, or epoch of `fit`, begins.

        Returns:
            JSON-compatible dict. It also contains the settings that the batches depend
            on, and cannot be used with other pairs.
        """
        return {**self._settings, "next_batch": self._position}

    def set_state(self, state: dict[str, Any]) -> None:
        """Set the position at which the next iteration begins.

        To resume a `fit`, use `keras_indi.callbacks.BackupAndResume`.

        Args:
            state: Result of `get_state` of these pairs or their iterator.

        Raises:
            ValueError: If `state` is from pairs with other settings or images.
        """
        self._position = self._checked_position(state)

    def as_tf_dataset(self) -> Any:
        """Return the same batches as a `tf.data.Dataset`.

        Returns:
            A `tf.data.Dataset` whose iterations are iterations of this object.

        Raises:
            ImportError: If TensorFlow is not installed.
        """
        degraded, clean = self[0]
        crop = self._settings["crop_size"] or (None, None)
        signature = [
            ((None, *crop, images.shape[-1]), images.dtype)
            for images in (degraded, clean)
        ]
        return tf_dataset(lambda: iter(self), signature, len(self))

    # === Reading ===

    def _remaining(self):
        return len(self) - self._position % len(self)

    def _finish_epoch(self, end):
        self._position = end if self._training else 0
        self._loader.report()

    def _checked_position(self, state):
        # States of version 0.1 have no fingerprint.
        found = {FINGERPRINT: self.fingerprint, **state}
        differing = {
            name: found.get(name)
            for name, value in self._settings.items()
            if found.get(name) != value
        }
        if differing.keys() == {FINGERPRINT}:
            raise ValueError(
                f"{OTHER_IMAGES} Received: {FINGERPRINT}={found[FINGERPRINT]!r} in the "
                f"state, {self.fingerprint!r} here"
            )
        if differing:
            raise ValueError(
                "The state is of pairs with other settings. Create the pairs with "
                f"the same settings. Received: {differing} in the state, "
                f"{ {name: self._settings[name] for name in differing} } here"
            )
        return int(state["next_batch"])

    def _read(self, number):
        """Read a batch by its number. Sequential batches have been read ahead."""
        from grain import experimental

        with self._lock:
            if self._reader is None:
                self._reader = iter(self._pipeline)
                self._reader_next = 0
            if number != self._reader_next:
                experimental.set_next_index(self._reader, number)
            self._reader_next = None  # the position is unknown if reading fails
            batch = next(self._reader)
            self._reader_next = number + 1
            return batch


class PairsIterator:
    """Iterate over the batches of one epoch, starting at the position of the pairs.

    The position can be saved at any batch, and restored in any process:

    ```python
    iterator = iter(pairs)
    batch = next(iterator)
    state = iterator.get_state()
    iterator.set_state(state)  # the next batch is the second
    ```
    """

    def __init__(self, pairs: Pairs) -> None:
        self._pairs = pairs
        self._start_at(pairs._position)

    def _start_at(self, position):
        self._next = position
        self._end = position - position % len(self._pairs) + len(self._pairs)

    def __iter__(self) -> "PairsIterator":
        return self

    def __next__(self) -> tuple[np.ndarray, np.ndarray]:
        if self._next == self._end:
            self._pairs._finish_epoch(self._end)
            raise StopIteration
        batch = self._pairs._read(self._next)
        self._next += 1
        return batch

    def get_state(self) -> dict[str, Any]:
        """Return the position, like `Pairs.get_state`."""
        return {**self._pairs._settings, "next_batch": self._next}

    def set_state(self, state: dict[str, Any]) -> None:
        """Set the position, like `Pairs.set_state`."""
        self._start_at(self._pairs._checked_position(state))
