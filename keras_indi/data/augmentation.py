"""The paper's augmentation: flips, and rotations by 90, 180 and 270 degrees."""

import numpy as np

SYMMETRIES = 8  # of the square; the first four also keep a rectangle's shape


def transform(image: np.ndarray, symmetry: int) -> np.ndarray:
    """Apply one of the eight symmetries of the square to an image.

    Args:
        image: Array of shape `(height, width, channels)`.
        symmetry: Int in [0, 8). Its first bit flips columns, its second rows, and
            its third then transposes: together all flips and rotations. Below 4
            the shape stays.

    Returns:
        A view of the image; height and width change places for 4 and above.
    """
    image = image[:: -1 if symmetry & 2 else 1, :: -1 if symmetry & 1 else 1]
    return np.swapaxes(image, 0, 1) if symmetry & 4 else image


def random_symmetry(height: int, width: int, random: np.random.Generator) -> int:
    """Draw a symmetry, uniformly among those that keep the shape.

    Args:
        height: Int.
        width: Int.
        random: A `numpy.random.Generator`.

    Returns:
        Int, for `transform`.
    """
    return int(random.integers(SYMMETRIES if height == width else SYMMETRIES // 2))
