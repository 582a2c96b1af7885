"""Resizing as in MATLAB's imresize and the super-resolution benchmarks."""

import functools
from typing import Any

import numpy as np

from keras_indi.validation import checked_choice, checked_integer

METHODS = ("nearest", "area", "bilinear", "bicubic")


def resize(
    image: np.ndarray,
    height: int,
    width: int,
    method: str = "bicubic",
    antialias: bool = True,
) -> np.ndarray:
    """Resize an image with half-pixel centres.

    Output pixel i has its centre at `(i + 1/2) * size_in / size_out - 1/2` of the
    input. The image is extended by reflection that repeats the border pixel
    ("symmetric"). The weights of each pixel sum to 1. The axes are resized one after
    the other.

    Args:
        image: Array of shape `(height, width, channels)`, integers or floats.
        height: Int, the new height.
        width: Int, the new width.
        method: `"nearest"`, `"area"` (the mean over the pixels that the new pixel
            covers, including parts of pixels), `"bilinear"` or `"bicubic"` (Keys's
            cubic with a = -1/2).
        antialias: Bool, whether `"bilinear"` and `"bicubic"` stretch their kernel by
            the factor when they reduce the size, as in MATLAB. No effect on the
            other methods.

    Returns:
        Array of shape `(height, width, channels)` with the dtype of the image. With
        `"bicubic"`, floats can exceed the range of the image. Integers are rounded and
        clipped to their dtype.

    Raises:
        ValueError: On an unknown method, a size that is no integer of at least 1, or an
            image that is empty or does not have three axes.

    Example:

    >>> image = np.zeros((64, 48, 3), "uint8")
    >>> keras_indi.data.resize.resize(image, 16, 12).shape
    (16, 12, 3)

    Reference:
        R. Keys, Cubic Convolution Interpolation for Digital Image Processing,
        IEEE Transactions on Acoustics, Speech, and Signal Processing, 1981.
    """
    image = np.asarray(image)
    checked_choice("method", method, METHODS)
    if image.ndim != 3 or image.size == 0:
        raise ValueError(
            "`image` must have shape (height, width, channels) and must not be "
            f"empty. Received: image of shape {image.shape}"
        )
    checked_integer("height", height)
    checked_integer("width", width)
    if image.shape[:2] == (height, width):
        return image.copy()
    resized = resize_block(
        image, height, width, slice(None), slice(None), method, antialias
    )
    if np.issubdtype(image.dtype, np.integer):
        limits = np.iinfo(image.dtype)
        resized = np.clip(np.rint(resized), limits.min, limits.max)
    return np.ascontiguousarray(resized, dtype=image.dtype)


def resize_block(
    image: Any,
    height: int,
    width: int,
    rows: slice,
    columns: slice,
    method: str = "bicubic",
    antialias: bool = True,
) -> np.ndarray:
    """Compute a block of the result of `resize`, bit-identical.

    Args:
        image: Array-like of shape `(height, width, channels)`. Only the part that the
            block requires is read.
        height: Int, new height of the whole image.
        width: Int, new width of the whole image.
        rows: Slice, rows of the block in the result.
        columns: Slice, columns of the block in the result.
        method: As for `resize`.
        antialias: As for `resize`.

    Returns:
        Float array `(rows, columns, channels)`, neither clipped nor rounded. It is
        float32, or float64 for a float64 image.
    """
    axes, read = [], []
    for length, size, place in zip(image.shape, (height, width), (rows, columns)):
        taps = None  # the axis keeps its size
        if length != size:
            taken, weights = _taps(length, size, method, antialias)
            taken, weights = taken[:, place], weights[:, place]
            place = slice(taken.min(), taken.max() + 1)
            taps = taken - place.start, weights
        axes.append(taps)
        read.append(place)
    block = np.asarray(image[tuple(read)])
    block = block.astype(np.result_type(block.dtype, "float32"), copy=False)
    for taps in axes:
        # Each iteration resizes the first axis and swaps the two axes.
        block = _along_rows(block, taps).swapaxes(0, 1)
    return block


def _along_rows(image, taps):
    # Sum over the taps instead of a matrix product. A threaded product stalls if worker
    # processes share the cores, and its rounding depends on the number of threads.
    if taps is None:
        return image
    columns = image.reshape(image.shape[0], -1)
    resized = np.zeros((taps[0].shape[1], columns.shape[1]), image.dtype)
    part = np.empty_like(resized)
    for rows, weights in zip(*taps):
        np.take(columns, rows, axis=0, out=part, mode="clip")
        part *= weights[:, None].astype(image.dtype)
        resized += part
    return resized.reshape(len(resized), *image.shape[1:])


@functools.lru_cache(maxsize=128)
def _taps(length, size, method, antialias):
    """Return the source rows of each new row and their weights: `(taps, size)` each."""
    scale = length / size
    centres = (np.arange(size) + 0.5) * scale - 0.5
    if method == "nearest":
        reach, kernel = 0.5, _nearest
    elif method == "area":
        reach, kernel = (scale + 1) / 2, functools.partial(_overlap, size=scale)
    else:
        stretch = max(scale, 1.0) if antialias else 1.0
        reach, kernel = {"bilinear": (1, _triangle), "bicubic": (2, _cubic)}[method]
        reach, kernel = reach * stretch, functools.partial(kernel, stretch=stretch)
    rows = np.floor(centres - reach).astype(int)
    rows = rows + np.arange(int(np.ceil(2 * reach)) + 2)[:, None]
    weights = kernel(centres - rows)
    used = weights.any(axis=1)
    rows, weights = rows[used], weights[used]
    # Reflection that repeats the border pixel has a period of twice the length.
    rows = rows % (2 * length)
    return np.minimum(rows, 2 * length - 1 - rows), weights / weights.sum(axis=0)


def _nearest(distance):
    return ((distance >= -0.5) & (distance < 0.5)).astype("float64")


def _overlap(distance, size):
    """Return the overlap of an interval of this size with one of size 1."""
    highest = np.minimum(distance + size / 2, 0.5)
    lowest = np.maximum(distance - size / 2, -0.5)
    return np.maximum(highest - lowest, 0.0)


def _triangle(distance, stretch):
    return np.maximum(1.0 - np.abs(distance) / stretch, 0.0)


def _cubic(distance, stretch):
    x = np.abs(distance) / stretch
    near = (1.5 * x - 2.5) * x * x + 1.0
    far = ((-0.5 * x + 2.5) * x - 4.0) * x + 2.0
    return np.where(x <= 1, near, np.where(x < 2, far, 0.0))
