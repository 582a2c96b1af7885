"""NamedPairs of images to score, wherever they come from."""

import hashlib
import os
import pathlib
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.images.decoding import UnusableImageError, read_image
from keras_indi.images.image_files import listed, match_folders


class NamedPairs:
    """Named pairs of images: (degraded, clean), or (restored, clean).

    Args:
        names: List of strings, one a pair.
        read: Function of an index that returns the two NumPy arrays `(height,
            width, channels)`, of one shape, or raises `UnusableImageError`.
        fingerprint: Function without arguments that returns a string, another
            one for other contents of the images.
    """

    def __init__(
        self,
        names: Sequence[str],
        read: Callable[[int], tuple[np.ndarray, np.ndarray]],
        fingerprint: Callable[[], str],
    ) -> None:
        self.names = names
        self.read = read
        self.fingerprint = fingerprint

    def __len__(self) -> int:
        return len(self.names)


def as_pairs(pairs: Any, channels: int = 3, limit: int | None = None) -> NamedPairs:
    """Makes `NamedPairs` of what a user has.

    Args:
        pairs: One of
            - two folders, as a tuple or list. Images pair by their path inside the
              folder, without its ending; every image needs its partner;
            - a tuple of two arrays `(batch, height, width, channels)`, or of
              two lists of images of any sizes;
            - a list of pairs of images `(height, width, channels)`;
            - any finite Keras data source of batches `(degraded, clean)`:
              `tf.data`, `PyDataset`, PyTorch `DataLoader`, Grain. It is read
              once, into memory.
        channels: Int, 1 or 3, the channels that files are read with: grey ones
            get three equal channels; of colour ones 1 is their luma.
        limit: Int, use the first pairs only, in the order of their names where
            they have some. Defaults to all.

    Returns:
        `NamedPairs`.

    Raises:
        ValueError: If files do not pair up, or images in memory differ in
            shape.
    """
    if isinstance(pairs, NamedPairs):
        return pairs
    if isinstance(pairs, (tuple, list)) and len(pairs) == 2:
        first, second = pairs
        are_paths = [isinstance(side, (str, os.PathLike)) for side in pairs]
        if any(are_paths) and not all(are_paths):
            raise ValueError(
                "Both sides must be folders, or neither. Received: pairs of types "
                f"{type(first).__name__} and {type(second).__name__}"
            )
        if all(are_paths):
            return _folders(pathlib.Path(first), pathlib.Path(second), channels, limit)
    if isinstance(pairs, tuple) and len(pairs) == 2:
        if isinstance(first, (list, tuple)) or hasattr(first, "shape"):
            if len(first) != len(second):
                raise ValueError(
                    "Both sides must hold as many images. Received: "
                    f"{len(first)} and {len(second)} images"
                )
            return _in_memory(list(zip(first, second)), limit)
    if isinstance(pairs, list):
        return _in_memory(pairs, limit)
    return _in_memory(_from_batches(pairs, limit), limit)


def _in_memory(pairs, limit):
    pairs = [
        tuple(np.asarray(ops.convert_to_numpy(image)) for image in pair[:2])
        for pair in pairs[:limit]
    ]
    if not pairs:
        raise ValueError(f"There must be a pair of images. Received: pairs={pairs}")
    for index, (first, second) in enumerate(pairs):
        if first.ndim != 3 or first.shape != second.shape:
            raise ValueError(
                "The images of a pair must both have the shape (height, width, "
                f"channels); nothing is resized. Received: pair {index} of shapes "
                f"{first.shape} and {second.shape}"
            )

    def fingerprint():
        digest = hashlib.sha256()
        for image in (image for pair in pairs for image in pair):
            digest.update(f"{image.shape}{image.dtype}".encode())
            digest.update(np.ascontiguousarray(image).tobytes())
        return digest.hexdigest()

    names = [f"{index:05d}" for index in range(len(pairs))]
    return NamedPairs(names, pairs.__getitem__, fingerprint)


def _from_batches(batches, limit):
    if isinstance(batches, keras.utils.PyDataset):
        batches = map(batches.__getitem__, range(len(batches)))
    pairs = []
    for batch in batches:
        first, second, _ = keras.utils.unpack_x_y_sample_weight(batch)
        pairs += zip(ops.convert_to_numpy(first), ops.convert_to_numpy(second))
        if limit is not None and len(pairs) >= limit:
            break
    return pairs


def _folders(first, second, channels, limit):
    match = match_folders(first, second)
    alone = [
        f"{len(paths)} in {folder} alone ({listed(sorted(paths))})"
        for folder, paths in ((first, match.only_degraded), (second, match.only_clean))
        if paths
    ]
    if alone or not match.pairs:
        raise ValueError(
            "Images pair by their path inside the folder, without the ending, and "
            "every one needs its partner. Received: "
            + ("; ".join(alone) or f"no images in {first} and {second}")
        )
    names = sorted(match.pairs)[:limit]
    paths = [match.pairs[name] for name in names]

    def read(index):
        images = [read_image(path, channels) for path in paths[index]]
        if images[0].shape != images[1].shape or images[0].dtype != images[1].dtype:
            raise UnusableImageError(
                "the two images differ; nothing is resized or converted to fit. "
                + "Received: "
                + ", ".join(
                    f"{path} of shape {image.shape} and dtype {image.dtype}"
                    for path, image in zip(paths[index], images)
                )
            )
        return tuple(images)

    def fingerprint():
        digest = hashlib.sha256()
        for name, pair in zip(names, paths):
            digest.update(name.encode())
            for path in pair:
                try:
                    digest.update(hashlib.sha256(path.read_bytes()).digest())
                except OSError:
                    digest.update(b"unreadable")
        return digest.hexdigest()

    return NamedPairs(names, read, fingerprint)
