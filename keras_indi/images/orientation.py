"""EXIF orientation: rotate or flip a stored image upright."""

from collections.abc import Callable
from typing import Any

import numpy as np

ORIENTATION = 0x0112  # EXIF and TIFF tag
# Functions that turn a stored image upright. Orientation 1 is upright.
UPRIGHT: dict[int, Callable[[np.ndarray], np.ndarray]] = {
    2: np.fliplr,
    3: lambda image: np.rot90(image, 2),
    4: np.flipud,
    5: lambda image: image.swapaxes(0, 1),
    6: lambda image: np.rot90(image, -1),
    7: lambda image: np.rot90(image, 2).swapaxes(0, 1),
    8: np.rot90,
}


def checked_orientation(value: Any) -> int:
    """Return the orientation in a tag, or 1 if it is not one of 1 to 8."""
    if isinstance(value, tuple) and len(value) == 1:
        value = value[0]
    valid = isinstance(value, (int, np.integer)) and 1 <= value <= 8
    return int(value) if valid else 1


def upright(image: np.ndarray, orientation: int) -> np.ndarray:
    """Return a view of an image `(height, width, ...)` with its orientation applied."""
    return UPRIGHT[orientation](image) if orientation in UPRIGHT else image


def upright_size(height: int, width: int, orientation: int) -> tuple[int, int]:
    """Return the height and width of the upright image."""
    return (width, height) if orientation >= 5 else (height, width)
