"""The paper's augmentation: flips, and rotations by 90, 180 and 270 degrees."""

import numpy as np

SYMMETRIES = 8  # of the square; the first four also keep the shape of a rectangle


def transform(image: np.ndarray, symmetry: int) -> np.ndarray:
    """Apply one of the eight symmetries of the square to an image.

    Args:
        image: Array of shape `(height, width, channels)`.
        symmetry: Int in [0, 8). Bit 0 flips columns, bit 1 flips rows, and bit 2 then
            transposes. Together they give all flips and rotations. Values below 4 keep
            the shape.

    Returns:
        A view of the image. Height and width are swapped for 4 and above.
    """
    image = image[:: -1 if symmetry & 2 else 1, :: -1 if symmetry & 1 else 1]
    return np.swapaxes(image, 0, 1) if symmetry & 4 else image


def random_symmetry(height: int, width: int, random: np.random.Generator) -> int:
    """Draw a symmetry uniformly among those that keep the shape.

    Args:
        height: Int.
        width: Int.
        random: A `numpy.random.Generator`.

    Returns:
        Int, for `transform`.
    """
    return int(random.integers(SYMMETRIES if height == width else SYMMETRIES // 2))
