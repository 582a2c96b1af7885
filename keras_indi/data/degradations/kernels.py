"""Blur kernels and convolution."""

import numpy as np

from keras_indi.optional_packages import optional_import

POINTS_PER_PIXEL = 16  # sampling density of paths and discs
MOST_CHANNELS = 100  # per call of OpenCV, whose version 5 supports 128


def gaussian(sigma: float) -> np.ndarray:
    """Return a sampled Gaussian, truncated at 4 sigma.

    Args:
        sigma: Float, in pixels. 0 gives the identity kernel.

    Returns:
        float32 array of shape `(2 radius + 1,)`, for both rows and columns. Its sum is
        1, and its radius `gaussian_radius(sigma)`.
    """
    radius = gaussian_radius(sigma)
    offsets = np.arange(-radius, radius + 1)
    return _normalized(np.exp(-0.5 * (offsets / max(sigma, 1e-6)) ** 2))


def gaussian_radius(sigma: float) -> int:
    """Return the radius of `gaussian` in pixels: 4 sigma, rounded."""
    return int(4.0 * sigma + 0.5)


def correlated(noise: np.ndarray, sigma: float) -> np.ndarray:
    """Filter independent noise with `gaussian`, and keep its variance.

    Args:
        noise: float32 array of shape `(height + 2 radius, width + 2 radius, channels)`,
            with the radius of `gaussian_radius(sigma)`.
        sigma: Float, in pixels. 0 returns the noise.

    Returns:
        float32 array of shape `(height, width, channels)`.

    Raises:
        ImportError: If OpenCV is not installed.
    """
    radius = gaussian_radius(sigma)
    if radius == 0:
        return noise
    kernel = gaussian(sigma)
    filtered = convolve(noise, kernel)[radius:-radius, radius:-radius]
    return filtered / np.sum(kernel**2)


def disc(radius: float) -> np.ndarray:
    """Return an anti-aliased disc: the fraction of each pixel that it covers.

    Args:
        radius: Float, in pixels. Up to 1/2 the disc lies within one pixel.

    Returns:
        float32 array of shape `(size, size)` with sum 1. `size` is the smallest odd
        size that fits.
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
    """Return the reach of `disc` in pixels."""
    return int(np.ceil(radius - 0.5))


def path(points: np.ndarray) -> np.ndarray:
    """Return the kernel of a point of light that moves along a path.

    Each point of the path is distributed bilinearly over four pixels, so that the
    kernel and the path have the same centroid.

    Args:
        points: Array of shape `(count, 2)`: corners of the path as (row, column) in
            pixels from the middle of the kernel. They are reached at equal intervals
            of time.

    Returns:
        float32 array of shape `(size, size)` with sum 1. `size` is the smallest odd
        size that fits.
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

    The image is extended by reflection, without repeating the border pixel
    ("reflect" in NumPy, "mirror" in SciPy).

    Args:
        image: float32 array of shape `(height, width, channels)`.
        kernel: float32 array of odd sizes: of shape `(rows, columns)`, or with one
            axis for both rows and columns.

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
