"""`tf.data` datasets on any backend."""

import sys
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_indi.annotations import Shape
from keras_indi.optional_packages import optional_import


def tf_dataset(
    batches: Callable[[], Iterator[tuple]],
    signature: Sequence[tuple[Shape, Any]],
    length: int,
) -> Any:
    """Return batches of arrays as a `tf.data.Dataset` of known length.

    Args:
        batches: Function without arguments that returns an iterator of tuples.
        signature: List with one pair per array of a batch: the shape, with `None` for
            variable sizes, and the dtype.
        length: Int, number of batches.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ImportError: If TensorFlow is not installed.
    """
    tf = optional_import("tensorflow", "tensorflow", purpose="A tf.data.Dataset")
    specs = tuple(tf.TensorSpec(shape, dtype) for shape, dtype in signature)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=specs)
    return dataset.apply(tf.data.experimental.assert_cardinality(length))


def is_distributed(source: Any) -> bool:
    """Return whether a source is a dataset distributed by `tf.distribute`."""
    tf = sys.modules.get("tensorflow")
    return tf is not None and isinstance(source, tf.distribute.DistributedDataset)


def is_shuffled(source: Any) -> bool:
    """Return whether a source is a `tf.data.Dataset` with a shuffle buffer.

    This uses private attributes of TensorFlow's datasets.
    """
    tf = sys.modules.get("tensorflow")
    if tf is None or not isinstance(source, tf.data.Dataset):
        return False
    if "shuffle" in type(source).__name__.lower():
        return True
    return any(map(is_shuffled, source._inputs()))


def with_first_checked(dataset: Any, check: Callable[[Any], None]) -> Any:
    """Return a dataset that checks its first batch when that is first read.

    Args:
        dataset: `tf.data.Dataset`.
        check: Function of a batch of arrays. If it raises an error, reading the dataset
            raises one of TensorFlow's.

    Returns:
        `tf.data.Dataset` of the same batches.
    """
    import tensorflow as tf

    checked: list[bool] = []

    def look(index, batch):
        def arrays(*tensors):
            if not checked:
                checked.append(True)
                values = [tensor.numpy() for tensor in tensors]
                check(tf.nest.pack_sequence_as(batch, values))
            return True

        def first():
            return tf.py_function(arrays, tf.nest.flatten(batch), tf.bool)

        looked = tf.cond(index == 0, first, lambda: True)
        with tf.control_dependencies([looked]):
            return tf.nest.map_structure(tf.identity, batch)

    return dataset.enumerate().map(look)
