"""Resizing as MATLAB's imresize and the super-resolution benchmarks do it."""

import functools

import numpy as np

METHODS = ("nearest", "area", "bilinear", "bicubic")
# Weights of larger resizes are built anew each time, not kept.
LARGEST_KEPT = 2**20


def resize(image, height, width, method="bicubic", antialias=True):
    """Resizes an image with half-pixel centres.

    Output pixel i has its centre at `(i + 1/2) * size_in / size_out - 1/2` of the
    input. Beyond its border the image is continued by its mirror image, the
    border pixel repeated ("symmetric"); the weights of each pixel sum to 1. The
    axes are resized one after the other, by matrix products.

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
    if method not in METHODS:
        raise ValueError(
            f"`method` must be one of {', '.join(METHODS)}. Received: method={method!r}"
        )
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
    integers = np.issubdtype(image.dtype, np.integer)
    resized = image.astype(np.result_type(image.dtype, "float32"), copy=False)
    for size in (height, width):
        # Each turn resizes the first axis and brings the other one there.
        resized = _along_rows(resized, size, method, antialias).swapaxes(0, 1)
    if integers:
        limits = np.iinfo(image.dtype)
        resized = np.clip(np.rint(resized), limits.min, limits.max)
    return np.ascontiguousarray(resized, dtype=image.dtype)


def _along_rows(image, size, method, antialias):
    length = image.shape[0]
    if size == length:
        return image
    build = _kept_weights if size * length <= LARGEST_KEPT else _weights
    weights = build(length, size, method, antialias, image.dtype.name)
    rows = weights @ image.reshape(length, -1)
    return rows.reshape(size, *image.shape[1:])


def _weights(length, size, method, antialias, dtype):
    """The `(size, length)` matrix that resizes a column."""
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
    first = np.floor(centres - reach).astype(int)
    taps = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    values = kernel(centres[:, None] - taps)
    values /= values.sum(axis=1, keepdims=True)
    # The mirror image, border pixel repeated, has a period of twice the length.
    columns = taps % (2 * length)
    columns = np.minimum(columns, 2 * length - 1 - columns)
    weights = np.zeros((size, length))
    np.add.at(weights, (np.arange(size)[:, None], columns), values)
    return weights.astype(dtype)


_kept_weights = functools.lru_cache(maxsize=32)(_weights)


def _nearest(distance):
    return ((distance > -0.5) & (distance <= 0.5)).astype("float64")


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
