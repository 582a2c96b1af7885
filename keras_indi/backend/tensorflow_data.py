"""Batches as TensorFlow's data sets, on any backend."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from keras_indi.annotations import Shape
from keras_indi.optional_packages import optional_import


def tf_dataset(
    batches: Callable[[], Iterator[tuple]],
    signature: Sequence[tuple[Shape, Any]],
    length: int,
) -> Any:
    """Batches of arrays as a `tf.data.Dataset` of known length.

    Args:
        batches: Function without arguments that returns an iterator of tuples.
        signature: List of pairs of a shape, with `None` for what varies, and a dtype,
            one an array of a batch.
        length: Int, the number of batches.

    Returns:
        A `tf.data.Dataset`.

    Raises:
        ImportError: If TensorFlow is not installed.
    """
    tf = optional_import("tensorflow", "tensorflow", purpose="A tf.data.Dataset")
    specs = tuple(tf.TensorSpec(shape, dtype) for shape, dtype in signature)
    dataset = tf.data.Dataset.from_generator(batches, output_signature=specs)
    return dataset.apply(tf.data.experimental.assert_cardinality(length))
