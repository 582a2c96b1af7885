"""Named pairs of images, from folders, arrays or data sources."""

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
        names: List of strings, one per pair.
        read: Function of an index that returns the two images as NumPy arrays
            `(height, width, channels)` of matching shapes, or raises
            `UnusableImageError`.
        fingerprint: Function without arguments that returns a string, which differs if
            the images differ.
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


def as_pairs(
    pairs: Any,
    channels: int = 3,
    limit: int | None = None,
    scale: int = 1,
    max_pixels: int | None = None,
) -> NamedPairs:
    """Convert folders, arrays, lists or a data source to `NamedPairs`.

    Args:
        pairs: One of

            - two folders, as a tuple or list. Images are paired by their path inside
              the folder, without the extension; every image needs a partner;
            - a tuple of two arrays `(batch, height, width, channels)`, or of
              two lists of images of any sizes;
            - a list of pairs of images `(height, width, channels)`;
            - any finite Keras data source of batches `(degraded, clean)`:
              `tf.data`, `PyDataset`, PyTorch `DataLoader`, Grain. It is read
              once, into memory.
        channels: Int, 1 or 3, the number of channels to read from files. With 3, grey
            images get three equal channels. With 1, colour images become luma.
        limit: Int, number of pairs to use, the first ones in the order of their names.
            Defaults to all.
        scale: Int, the factor by which the second image of a pair may be larger in
            height and width. Defaults to 1, equal sizes.
        max_pixels: Int, maximum number of pixels of a file's image, as for
            `keras_indi.data.read_image`.

    Returns:
        `NamedPairs`.

    Raises:
        ValueError: If files have no partner, or the shapes of images in memory do not
            match.
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
            folders = pathlib.Path(first), pathlib.Path(second)
            return _folders(*folders, channels, limit, scale, max_pixels)
    if isinstance(pairs, tuple) and len(pairs) == 2:
        if isinstance(first, (list, tuple)) or hasattr(first, "shape"):
            if len(first) != len(second):
                raise ValueError(
                    "Both sides must hold the same number of images. Received: "
                    f"{len(first)} and {len(second)} images"
                )
            return _in_memory(list(zip(first, second)), limit, scale)
    if isinstance(pairs, list):
        return _in_memory(pairs, limit, scale)
    return _in_memory(_from_batches(pairs, limit), limit, scale)


def read_pair(
    paths: Sequence[pathlib.Path],
    channels: int = 3,
    scale: int = 1,
    max_pixels: int | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Read two images of matching shapes.

    Args:
        paths: Pair of paths.
        channels: As for `as_pairs`.
        scale: As for `as_pairs`.
        max_pixels: As for `as_pairs`.

    Raises:
        UnusableImageError: If an image cannot be used, or the shapes do not match.
    """
    first, second = images = [read_image(path, channels, max_pixels) for path in paths]
    if not fit_each_other(first, second, scale) or first.dtype != second.dtype:
        raise UnusableImageError(
            f"the two images {must_fit(scale)}, and one dtype. Received: "
            + ", ".join(
                f"{path} of shape {image.shape} and dtype {image.dtype}"
                for path, image in zip(paths, images)
            )
        )
    return first, second


def restore_scale(
    model: Any, degraded: np.ndarray, clean: np.ndarray | None
) -> dict[str, int]:
    """Return the `scale` argument of `restore` for a pair, if the model has a scale.

    Args:
        model: A restorer.
        degraded: Array `(height, width, channels)`.
        clean: Array of that shape or `scale` times its height and width, or `None`.

    Returns:
        Dict, empty for a model without super-resolution.
    """
    scale = getattr(model, "scale", 1)
    if scale == 1:
        return {}
    enlarged = clean is not None and degraded.shape == clean.shape
    return {"scale": 1 if enlarged else scale}


def fit_each_other(first: np.ndarray, second: np.ndarray, scale: int) -> bool:
    """Return whether the shapes are equal, or the second is `scale` times larger."""
    height, width, *channels = first.shape
    return second.shape in (first.shape, (scale * height, scale * width, *channels))


def must_fit(scale: int) -> str:
    """Return the shape requirement of a pair, for error messages."""
    larger = f", or the second {scale} times larger each way" if scale > 1 else ""
    return f"must have one shape (height, width, channels){larger}"


def _in_memory(pairs, limit, scale):
    pairs = [
        tuple(np.asarray(ops.convert_to_numpy(image)) for image in pair[:2])
        for pair in pairs[:limit]
    ]
    if not pairs:
        raise ValueError(f"There must be a pair of images. Received: pairs={pairs}")
    for index, (first, second) in enumerate(pairs):
        if first.ndim != 3 or not fit_each_other(first, second, scale):
            raise ValueError(
                f"The images of a pair {must_fit(scale)}; nothing else is resized. "
                f"Received: pair {index} of shapes {first.shape} and {second.shape}"
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


def _folders(first, second, channels, limit, scale, max_pixels):
    match = match_folders(first, second)
    alone = [
        f"{len(paths)} only in {folder} ({listed(sorted(paths))})"
        for folder, paths in ((first, match.only_degraded), (second, match.only_clean))
        if paths
    ]
    if alone or not match.pairs:
        raise ValueError(
            "Images are paired by their path inside the folder, without the extension, "
            "and each needs a partner. Received: "
            + ("; ".join(alone) or f"no images in {first} and {second}")
        )
    names = sorted(match.pairs)[:limit]
    paths = [match.pairs[name] for name in names]
    dates: dict[pathlib.Path, tuple] = {}  # of the files in the fingerprint

    def read(index):
        images = read_pair(paths[index], channels, scale, max_pixels)
        for path in paths[index]:
            if path in dates and dates[path] != _date(path):
                raise UnusableImageError(f"{path} has changed since the run began")
        return images

    def fingerprint():
        digest = hashlib.sha256()
        for name, pair in zip(names, paths):
            digest.update(name.encode())
            for path in pair:
                try:
                    if not path.is_file():  # reading from a pipe would block
                        raise OSError
                    dates[path] = _date(path)
                    with path.open("rb") as file:
                        digest.update(hashlib.file_digest(file, "sha256").digest())
                except OSError:
                    digest.update(b"unreadable")
        return digest.hexdigest()

    return NamedPairs(names, read, fingerprint)


def _date(path):
    """Return a value that changes when the file changes."""
    try:
        found = path.stat()
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
