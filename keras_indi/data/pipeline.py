"""Make batches of pairs from a source of images with random access."""

import functools
import math
import os
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.backend import processes, several_devices
from keras_indi.data.crops import CropPair
from keras_indi.data.pairs import FINGERPRINT, Pairs
from keras_indi.data.part import Part
from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.image_files import listed
from keras_indi.images.value_ranges import range_of_dtype
from keras_indi.optional_packages import optional_import
from keras_indi.validation import checked_integer

MOST_WORKERS = 4  # maximum of the default
PASSES = 2**30  # practically infinite; Grain could not count the batches of more


def make_pairs(
    source: Any,
    degradation: Callable[..., np.ndarray] | None = None,
    *,
    crop_size: int | tuple[int, int] | None = 128,
    batch_size: int = 16,
    training: bool = True,
    augment: bool | None = None,
    batches_per_epoch: int | None = None,
    dtype: str = "uint8",
    value_range: ValueLimits | None = None,
    seed: int = 0,
    num_workers: int | None = None,
    shard: tuple[int, int] | None = None,
) -> Pairs:
    """Make training pairs from any source of images with random access.

    Args:
        source: Object with `__len__` and `__getitem__`. Element i is a tuple of arrays
            `(degraded, clean)`, or a clean array that is degraded with `degradation`.
            A source can contain both. Arrays are uint8 or uint16, use the full range
            of their dtype, and have shape `(height, width, channels)`. Raise
            `UnusableImageError` for an element that cannot be used. Optional methods:
            `name(i)` names an element, and `fingerprint()` returns a string that
            identifies the images, so that training is not resumed with others.
            Threads read the source concurrently.
        degradation: A `keras_indi.data.degradations.Degradation`, or a callable of
            `(image, generator)` that returns an image of the same shape and dtype.
            `None` if the source contains only pairs.
        crop_size: Int, or pair of ints, height and width of the crops. `None` uses
            whole images, which must have the same size in each batch.
        batch_size: Int, pairs per batch.
        training: Bool. `True` shuffles, cuts random crops and repeats indefinitely,
            in full batches. `False`, for validation, reads each image once, in
            order, with centre crops and the same noise each time.
        augment: Bool, whether to flip and rotate by multiples of 90 degrees (180 for
            crops that are not square), the same for both images. Defaults to
            `training`.
        batches_per_epoch: Int, only with `training`. Defaults to one pass over the
            images.
        dtype: Dtype of the batches, `"uint8"`, `"uint16"` or `"float32"`. With uint8,
            files of 16 bits are reduced to 8.
        value_range: Pair of numbers, values of black and white in float32 batches.
            Pass the model's `value_range`. Defaults to (0, 1). Integers use the full
            range of their dtype.
        seed: Int >= 0, seed of order, crops, augmentation and degradation.
        num_workers: Int, threads that read ahead. 0 reads on demand. Defaults to one
            per processor, at most 4.
        shard: Pair of ints, `(index, count)`, for `count` processes that train
            together. Process `index` reads its part of every batch,
            `batch_size / count` pairs. Together, they read the same batches as a
            single process. Defaults to the process's place in the current
            `keras.distribution` with JAX, or in PyTorch's process group. Set these
            up first.

    Returns:
        `Pairs`, for `fit`.

    Raises:
        ValueError: If no element of the source can be used, or an argument is
            not valid.
        ImportError: If Grain is missing.

    Example:

    ```python
    pairs = keras_indi.data.make_pairs(source, crop_size=64, batch_size=16)
    model.fit(pairs, epochs=10)
    ```
    """
    grain = optional_import("grain", extra="data", purpose="Reading pairs")
    crop_size = _checked_crop_size(crop_size)
    if num_workers is None:
        num_workers = min(MOST_WORKERS, os.cpu_count() or 1)
    checked_integer("batch_size", batch_size)
    checked_integer("batches_per_epoch", batches_per_epoch, optional=True)
    checked_integer("seed", seed, least=0)
    checked_integer("num_workers", num_workers, least=0)
    shard, divisor = _checked_shard(shard, batch_size)
    _check_degradation(degradation)
    value_range = range_of_dtype(dtype, value_range)
    augment = training if augment is None else augment
    loader = PairLoader(
        source,
        CropPair(degradation, crop_size, training, augment, dtype, value_range),
    )
    loader.check()
    indices = grain.MapDataset.range(len(source)).seed(seed)
    if training:
        indices = indices.repeat(PASSES).map_with_index(Shuffle(len(source), seed))
    elements = indices.random_map(loader)
    passes = -(-len(source) // batch_size)
    if divisor > 1:
        part = Part(shard, batch_size, len(indices), divisor)
        elements = _part_of(elements, part)
        if not training:
            passes = -(-len(elements) * shard[1] // batch_size)
    batches = elements.batch(batch_size // shard[1], batch_fn=_stacked)
    length = (training and batches_per_epoch) or passes
    # Threads, because Grain's processes were not faster on two cores, and each needs
    # seconds to load Keras and its backend.
    reading = grain.ReadOptions(
        num_threads=num_workers, prefetch_buffer_size=2 * num_workers
    )
    pipeline = batches.to_iter_dataset(reading)
    settings = {
        "images": len(source),
        "crop_size": crop_size and list(crop_size),
        "batch_size": batch_size,
        "batches_per_epoch": length,
        "seed": seed,
    }
    if hasattr(source, "fingerprint"):
        settings[FINGERPRINT] = source.fingerprint()
    return Pairs(pipeline, loader, length, training, settings, shard)


class Shuffle:
    """Shuffle each pass over a source in a different order.

    (Grain's `shuffle` needs no memory, but half a millisecond per element, which is
    more than a crop needs.)

    Args:
        size: Int, length of the source.
        seed: Int.
    """

    def __init__(self, size: int, seed: int) -> None:
        self._size = size
        # Threads read at most two passes at a time.
        self._permutation = functools.lru_cache(4)(
            lambda number: np.random.default_rng((seed, number)).permutation(size)
        )

    def __call__(self, index: int, element: int) -> int:
        """Return the element to read instead of `element`, at `index` of all passes."""
        return self._permutation(index // self._size)[element]


class PairLoader:
    """Make the pair of an element, or of another element if it is unusable.

    Args:
        source: As for `make_pairs`.
        crop_pair: A `CropPair`.
    """

    def __init__(self, source: Any, crop_pair: CropPair) -> None:
        self._source = source
        self._crop_pair = crop_pair
        self.skipped: dict[str, str] = {}  # name: reason
        self._bad: set[int] = set()  # their indices
        self._reported = 0

    def __call__(
        self, index: int, generator: np.random.Generator
    ) -> tuple[np.ndarray, np.ndarray]:
        """Make a pair.

        Indices of unusable elements are remembered, and no random numbers are drawn for
        them. The pair therefore does not depend on the order of reads.

        Args:
            index: Int, index of the element.
            generator: `numpy.random.Generator` of the pair.

        Returns:
            Tuple of arrays `(degraded, clean)`.
        """
        while True:
            if index not in self._bad:
                try:
                    return self._crop_pair(self._source[int(index)], generator)
                except UnusableImageError as error:
                    self._skip(int(index), error)
            if len(self._bad) == len(self._source):
                raise ValueError(self._all_unusable())
            index = int(generator.integers(len(self._source)))

    def check(self) -> None:
        """Raise a ValueError if no element can be used."""
        for index in range(len(self._source)):
            try:
                self._crop_pair(self._source[index], np.random.default_rng(0))
                return
            except UnusableImageError as error:
                self._skip(index, error)
        raise ValueError(self._all_unusable())

    def report(self) -> None:
        """Warn once about images that were skipped since the last report."""
        names = sorted(self.skipped)
        if len(names) > self._reported:
            self._reported = len(names)
            reasons = [f"{name}: {self.skipped[name]}" for name in names]
            warnings.warn(
                f"{len(names)} of {len(self._source)} images or pairs cannot be "
                f"used; others take their place. {listed(reasons)}",
                stacklevel=2,
            )

    def _skip(self, index, error):
        name = getattr(self._source, "name", "image {}".format)(index)
        self.skipped[name] = str(error)
        self._bad.add(index)

    def _all_unusable(self):
        reasons = [f"{name}: {reason}" for name, reason in self.skipped.items()]
        return (
            "There must be images to train on, and none can be used. Received: "
            f"{len(self._source)} images or pairs. {listed(reasons)}"
        )


def _part_of(elements, part):
    """Return the elements of a data set that a process reads."""
    import grain

    if not len(part):
        raise ValueError(
            "There must be a pair for each device that shares a batch. Received: "
            f"{len(elements)} pairs, and more devices"
        )
    if part.left_out:
        warnings.warn(
            f"{part.left_out} of {len(elements)} pairs are left out of validation, "
            "because several devices share the last batch evenly.",
            stacklevel=3,
        )
    numbers = grain.MapDataset.range(len(part))
    return numbers.map(lambda position: elements[part(position)])


def _checked_shard(shard, batch_size):
    """Return the shard, and the number that must divide the batch size."""
    divisor = several_devices.batch_divisor()
    if shard is None:
        shard = processes.process_index(), processes.process_count()
    else:
        whole = isinstance(shard, (tuple, list)) and all(
            isinstance(number, (int, np.integer)) for number in shard
        )
        if not whole or len(shard) != 2 or not 0 <= shard[0] < shard[1]:
            raise ValueError(
                "`shard` must be a pair (index, count) of ints with 0 <= index < "
                f"count. Received: shard={shard!r}"
            )
        divisor = math.lcm(divisor, shard[1])
    several_devices.check_divides(batch_size, divisor)
    return tuple(shard), divisor


def _stacked(pairs):
    shapes = {degraded.shape for degraded, _ in pairs}
    if len(shapes) > 1:
        raise ValueError(
            "Whole images of one batch must have one size: give a `crop_size`, or "
            f"`batch_size=1`. Received: shapes {sorted(shapes)}"
        )
    degraded, clean = zip(*pairs)
    return np.stack(degraded), np.stack(clean)


def _checked_crop_size(crop_size):
    if crop_size is None:
        return None
    sizes = crop_size if isinstance(crop_size, (tuple, list)) else (crop_size,) * 2
    whole = all(isinstance(size, (int, np.integer)) and size >= 1 for size in sizes)
    if len(sizes) != 2 or not whole:
        raise ValueError(
            "`crop_size` must be an integer of at least 1, a pair of such, or None. "
            f"Received: crop_size={crop_size!r}"
        )
    return tuple(int(size) for size in sizes)


def _check_degradation(degradation):
    if degradation is None:
        return
    allowed = callable(degradation) and (
        getattr(degradation, "reduction", 1) == 1
        and getattr(degradation, "axes", 3) == 3
    )
    if not allowed:
        raise ValueError(
            "`degradation` must be a Degradation, or a callable of (image, "
            "generator), that keeps the image's shape (of `Downsample`: with "
            f"enlarge=True). Received: degradation={degradation!r}"
        )
