"""Kernels of blurs, and the convolution with one."""

import numpy as np

from keras_indi.optional_packages import optional_import

POINTS_PER_PIXEL = 16  # how finely paths and discs are cut
MOST_CHANNELS = 100  # that OpenCV gets at once: version 5 takes 128


def gaussian(sigma: float) -> np.ndarray:
    """A Gaussian, sampled and cut at 4 sigma.

    Args:
        sigma: Float, in pixels. 0 gives the kernel that changes nothing.

    Returns:
        float32 array of shape `(2 radius + 1,)`: the same for rows and columns.
        Its sum is 1, its radius `gaussian_radius(sigma)`.
    """
    radius = gaussian_radius(sigma)
    offsets = np.arange(-radius, radius + 1)
    return _normalized(np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2))


def gaussian_radius(sigma: float) -> int:
    """4 sigma, rounded: how far `gaussian` reaches, in pixels."""
    return int(4.0 * sigma + 0.5)


def disc(radius: float) -> np.ndarray:
    """A disc, its edge anti-aliased: the part of each pixel that it covers.

    Args:
        radius: Float, in pixels. Up to 1/2 the disc lies within one pixel.

    Returns:
        float32 array of shape `(size, size)` with sum 1; size is odd and just
        large enough.
    """
    radius = max(radius, 0.5)
    reach = disc_reach(radius)
    # Strips across each pixel: exact along a strip, the midpoint rule across.
    strips = 2 * reach + 1
    across = (np.arange(strips * POINTS_PER_PIXEL) + 0.5) / POINTS_PER_PIXEL
    half_chord = np.sqrt(np.maximum(radius**2 - (across - reach - 0.5) ** 2, 0.0))
    pixels = np.arange(-reach, reach + 1)[:, None]
    covered = np.minimum(half_chord, pixels + 0.5) - np.maximum(
        -half_chord, pixels - 0.5
    )
    area = np.maximum(covered, 0.0).reshape(strips, strips, -1).mean(axis=-1)
    return _normalized(area + area.T)


def disc_reach(radius: float) -> int:
    """How far `disc` reaches, in pixels."""
    return int(np.ceil(radius - 0.5))


def path(points: np.ndarray) -> np.ndarray:
    """What a point of light draws that moves along a path at even speed.

    Each point of the path is shared out bilinearly among its four pixels, so
    that the kernel has the path's very centroid.

    Args:
        points: Array of shape `(count, 2)`: corners of the path, reached at even
            intervals of time, as (row, column) in pixels from the kernel's
            middle.

    Returns:
        float32 array of shape `(size, size)` with sum 1; size is odd and just
        large enough.
    """
    points = np.asarray(points, "float64")
    longest = np.hypot(*np.diff(points, axis=0).T).max()
    parts = int(np.ceil(longest * POINTS_PER_PIXEL)) + 1
    # The middles of `parts` equal parts between each corner and the next.
    fractions = (np.arange(parts) + 0.5)[None, :, None] / parts
    dense = points[:-1, None] + fractions * np.diff(points, axis=0)[:, None]
    dense = np.round(dense.reshape(-1, 2), 9)
    reach = int(np.ceil(np.abs(dense).max()))
    size = 2 * reach + 1
    corner = np.floor(dense).astype(int)
    share = dense - corner
    kernel = np.zeros((size + 1) ** 2)
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        weights = np.abs(1 - row - share[:, 0]) * np.abs(1 - column - share[:, 1])
        cells = (corner + reach + (row, column)) @ (size + 1, 1)
        kernel += np.bincount(cells, weights, len(kernel))
    return _normalized(kernel.reshape(size + 1, size + 1)[:size, :size])


def convolve(image: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    """Convolve each channel of an image with a kernel.

    Beyond its border the image is continued by its mirror image, the border
    pixel not repeated ("reflect" in NumPy, "mirror" in SciPy).

    Args:
        image: float32 array of shape `(height, width, channels)`.
        kernel: float32 array of odd sizes: of shape `(rows, columns)`, or of
            one axis, for rows and columns alike.

    Returns:
        float32 array of the image's shape.

    Raises:
        ImportError: If OpenCV is not installed.
    """
    cv2 = optional_import("cv2", extra="data", purpose="Blurring")
    # OpenCV correlates, and drops an axis of one channel.
    flipped = np.ascontiguousarray(np.flip(kernel))
    blurred = np.empty_like(image)
    for first in range(0, image.shape[-1], MOST_CHANNELS):
        part = np.s_[..., first : first + MOST_CHANNELS]
        channels = np.ascontiguousarray(image[part])
        if kernel.ndim == 1:
            filtered = cv2.sepFilter2D(
                channels, -1, flipped, flipped, borderType=cv2.BORDER_REFLECT_101
            )
        else:
            filtered = cv2.filter2D(
                channels, -1, flipped, borderType=cv2.BORDER_REFLECT_101
            )
        blurred[part] = filtered.reshape(channels.shape)
    return blurred


def _normalized(kernel):
    return (kernel / kernel.sum()).astype("float32")
