"""Resizing as MATLAB's imresize and the super-resolution benchmarks do it."""

import functools
from typing import Any

import numpy as np

from keras_indi.validation import checked_choice

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
    input. Beyond its border the image is continued by its mirror image, the
    border pixel repeated ("symmetric"); the weights of each pixel sum to 1. The
    axes are resized one after the other.

    Args:
        image: Array of shape `(height, width, channels)`, integers or floats.
        height: Int, the new height.
        width: Int, the new width.
        method: One of `"nearest"`; `"area"`, the mean over the pixels that the
            new pixel covers, parts of pixels included; `"bilinear"`; `"bicubic"`,
            Keys's cubic with a = -1/2.
        antialias: Whether `"bilinear"` and `"bicubic"`, where they shrink,
            stretch their kernel by the factor, as MATLAB does. The other two
            methods do not change.

    Returns:
        Array of shape `(height, width, channels)` of the image's dtype. Floats may
        exceed the image's range with `"bicubic"`; integers are rounded and
        clipped to their dtype.

    Raises:
        ValueError: On an unknown method, a size below 1, or an image that is
            empty or not of three axes.

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
    if height < 1 or width < 1:
        raise ValueError(
            "`height` and `width` must be at least 1. Received: "
            f"height={height}, width={width}"
        )
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
    """A block of an image as `resize` makes it, equal to the last bit.

    Args:
        image: Array-like of shape `(height, width, channels)`, of which only what the
            block needs is read.
        height: Int, the new height of the whole.
        width: Int, its new width.
        rows: Slice, the block's rows of the result.
        columns: Slice, its columns.
        method: As for `resize`.
        antialias: As for `resize`.

    Returns:
        Float array `(rows, columns, channels)`, float32 but for a float64 image:
        neither clipped nor rounded.
    """
    axes, read = [], []
    for length, size, place in zip(image.shape, (height, width), (rows, columns)):
        taps = None  # of an axis that keeps its size
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
        # Each turn resizes the first axis and brings the other one there.
        block = _along_rows(block, taps).swapaxes(0, 1)
    return block


def _along_rows(image, taps):
    # A sum over the taps and no matrix product: a threaded one stalls where worker
    # processes share the cores, and its rounding depends on the threads.
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
    """The rows that make each new row, and their weights: `(taps, size)` each."""
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
    # The mirror image, border pixel repeated, has a period of twice the length.
    rows = rows % (2 * length)
    return np.minimum(rows, 2 * length - 1 - rows), weights / weights.sum(axis=0)


def _nearest(distance):
    return ((distance >= -0.5) & (distance < 0.5)).astype("float64")


def _overlap(distance, size):
    """The common length of an interval of this size and one of size 1."""
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
