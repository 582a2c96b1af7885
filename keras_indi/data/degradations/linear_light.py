"""sRGB transfer function: convert stored values to linear light, and back.

Lenses, moving cameras and sensors average light, not the values that an image file
stores. With `linear_light=True`, a degradation assumes that stored values are sRGB
(IEC 61966-2-1), and acts on light between these two functions. All channels are
treated as colours, including an alpha channel.
"""

import numpy as np


def to_light(stored: np.ndarray) -> np.ndarray:
    """Convert stored sRGB values to light. In both, 1 is white.

    Args:
        stored: float32 array. Negative values are mirrored: f(-x) = -f(x).

    Returns:
        float32 array of the same shape.
    """
    size = np.abs(stored)
    light = np.where(size <= 0.04045, size / 12.92, ((size + 0.055) / 1.055) ** 2.4)
    return np.copysign(light, stored)


def from_light(light: np.ndarray) -> np.ndarray:
    """The inverse of `to_light`."""
    size = np.abs(light)
    stored = np.where(
        size <= 0.0031308, size * 12.92, 1.055 * size ** (1 / 2.4) - 0.055
    )
    return np.copysign(stored, light)
