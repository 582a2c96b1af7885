"""The sRGB transfer function: from stored values to light, and back.

Light adds up in optics: a lens, a moving camera and a sensor average it, not the
values that an image file stores. `linear_light=True` of a degradation takes its
stored values for sRGB's (IEC 61966-2-1) and lets it act on light between these two
functions. All channels are taken for colours, an alpha channel too.
"""

import numpy as np


def to_light(stored: np.ndarray) -> np.ndarray:
    """Stored sRGB values to light, both in units where 1 is white.

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
