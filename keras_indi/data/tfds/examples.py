"""The images of a prepared tfds split by index, without TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_indi.data.tfds.tfrecord import TFRecordExamples
from keras_indi.images import decoding
from keras_indi.images.image_cache import ImageCache


def read_examples(builder: Any, split: str, names: Sequence[str]) -> Any:
    """Random access to the examples of a prepared split, their images encoded.

    Files of array_record are read through `tfds.data_source`, files of TFRecord
    through `TFRecordExamples`.

    Args:
        builder: A `tfds.core.DatasetBuilder` whose data are prepared.
        split: String, a split of tfds: `"train"`, `"train[:90%]"`, ...
        names: List of names of image features.

    Returns:
        Sequence of dicts; each image is the bytes of its file.

    Raises:
        ValueError: If there is no such split, or the files have another format.
    """
    import tensorflow_datasets as tfds

    try:
        instructions = builder.info.splits[split].file_instructions
    except (KeyError, ValueError) as error:
        raise ValueError(
            f"The splits of `{builder.info.full_name}` are "
            f"{sorted(builder.info.splits)}, and parts of them such as "
            f"'train[:90%]'. Received: split={split!r}"
        ) from error
    decoders = {name: tfds.decode.SkipDecoding() for name in names}
    formats = {each.value for each in builder.info.available_file_formats()}
    if "array_record" in formats:
        return builder.as_data_source(
            split, decoders=decoders, file_format="array_record"
        )
    if builder.info.file_format.value != "tfrecord":
        raise ValueError(
            "The data set must be prepared as array_record or tfrecord: give another "
            f"`data_dir` to prepare it in. Received: {sorted(formats)} in "
            f"{builder.data_dir}"
        )
    return TFRecordExamples(instructions, builder.info.features, decoders)


class ExampleImages:
    """A source for `make_pairs`: images, or pairs of them, of tfds examples.

    Element i is the array of example i, or the tuple of arrays where there are
    two features. What was read stays in memory as long as it fits into the cache.

    Args:
        examples: What `read_examples` returned.
        names: List of one feature's name, or of two: degraded and clean.
        label: String that names the examples in messages: the data set with its
            version, and the split.
        preparation: Callable of an image array that returns one, or `None`.
        image_channels: 1 or 3.
        cache_bytes: Int, memory for arrays.
        max_pixels: As for `read_image`.
    """

    def __init__(
        self,
        examples: Any,
        names: Sequence[str],
        label: str,
        preparation: Callable[[np.ndarray], np.ndarray] | None,
        image_channels: int,
        cache_bytes: int,
        max_pixels: int | None = None,
    ) -> None:
        self._examples = examples
        self._names = names
        self._label = label
        self._preparation = preparation
        self._image_channels = image_channels
        self._max_pixels = max_pixels
        self._cache = ImageCache(cache_bytes)

    def __len__(self) -> int:
        return len(self._examples)

    def __getitem__(self, index: int) -> np.ndarray | tuple[np.ndarray, ...]:
        """Read element `index`.

        Raises:
            UnusableImageError: If an image cannot be used.
        """
        arrays = self._cache.get(index, lambda: self._read(index))
        return arrays if len(arrays) > 1 else arrays[0]

    def name(self, index: int) -> str:
        """The name of element `index`, for messages."""
        return f"{self._label}[{index}]"

    def fingerprint(self) -> str:
        """A string that identifies these examples: set, version, split, number.

        It is not of their content: a prepared version of a data set does not change.
        """
        return f"{self._label}: {len(self)} examples of {', '.join(self._names)}"

    def _read(self, index):
        example = self._examples[index]
        arrays = tuple(
            decoding.read_image(example[name], self._image_channels, self._max_pixels)
            for name in self._names
        )
        if self._preparation:
            arrays = tuple(self._preparation(array) for array in arrays)
        return arrays


def celeb_a_64(image: np.ndarray) -> np.ndarray:
    """The usual 64x64 face of a CelebA image of 218x178.

    The central square of 140x140 pixels, reduced bilinear with antialiasing, as in
    Y. Song et al., Score-Based Generative Modeling through Stochastic
    Differential Equations, ICLR 2021.

    Args:
        image: uint8 array of shape `(height, width, channels)`, at least 140x140.

    Returns:
        uint8 array of shape `(64, 64, channels)`.
    """
    from keras_indi.data.resize import resize

    side = 140
    top, left = ((size - side) // 2 for size in image.shape[:2])
    face = image[top : top + side, left : left + side]
    return resize(face, 64, 64, method="bilinear", antialias=True)
