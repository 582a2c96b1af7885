"""Random access to the images of a prepared TFDS split, without TensorFlow."""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from keras_indi.data.tfds.tfrecord import TFRecordExamples
from keras_indi.images import decoding
from keras_indi.images.image_cache import ImageCache


def read_examples(builder: Any, split: str, names: Sequence[str]) -> Any:
    """Return random access to the examples of a prepared split, with encoded images.

    array_record files are read with `tfds.data_source`, and TFRecord files with
    `TFRecordExamples`.

    Args:
        builder: A `tfds.core.DatasetBuilder` whose data is prepared.
        split: String, a TFDS split: `"train"`, `"train[:90%]"`, ...
        names: List of names of image features.

    Returns:
        Sequence of dicts. Each image is the bytes of its file.

    Raises:
        ValueError: If the split does not exist, or the files have another format.
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
    """Source for `make_pairs`: images, or image pairs, of TFDS examples.

    Element i is the array of example i, or a tuple of arrays if there are two features.
    Decoded images stay in memory while they fit in the cache.

    Args:
        examples: Result of `read_examples`.
        names: List of the name of one feature, or of two: degraded and clean.
        label: String that names the examples in messages: the data set with its
            version, and the split.
        preparation: Function of an image array that returns an image array, or `None`.
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
        """Return the name of element `index`, for messages."""
        return f"{self._label}[{index}]"

    def fingerprint(self) -> str:
        """Return a string that identifies these examples: set, version, split, count.

        It does not depend on their content, because a prepared version never changes.
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
    """Crop a CelebA image of 218x178 to the usual 64x64 face.

    The central square of 140x140 pixels is resized, bilinear with antialiasing, as in
    Y. Song et al., Score-Based Generative Modeling through Stochastic Differential
    Equations, ICLR 2021.

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
