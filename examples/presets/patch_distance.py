"""KID-768 on patches: whether restored photographs look like photographs as a set.

A pair shows one scene, which draws the distance between its two sets below that of
independent ones. So the clean patches come from one half of the photographs and the
patches to be scored from the other, then the other way round. Clean against clean, by
the same halves, is the floor: what is near it cannot be told from photographs.
"""

import numpy as np

from keras_indi import data
from keras_indi.metrics import KernelDistance
from keras_indi.metrics.kernel_distance import kernel_distance

SIDE = 128  # pixels
AN_IMAGE = 4  # patches at most, nearest to the middle
LEAST = 48  # patches in a half, for a figure that means something


def patches(image):
    """The patches of an image that are nearest to its middle, without overlap.

    Args:
        image: Array of shape `(height, width, channels)`.

    Returns:
        Array of shape `(count, 128, 128, channels)`, of `AN_IMAGE` patches at most.
    """
    rows, columns = (size // SIDE for size in image.shape[:2])
    top = (image.shape[0] - rows * SIDE) // 2
    left = (image.shape[1] - columns * SIDE) // 2

    def from_the_middle(place):
        row, column = place
        return np.hypot(row - (rows - 1) / 2, column - (columns - 1) / 2)

    places = sorted(np.ndindex(rows, columns), key=from_the_middle)[:AN_IMAGE]
    return np.stack(
        [
            image[y : y + SIDE, x : x + SIDE]
            for y, x in (
                (top + row * SIDE, left + column * SIDE) for row, column in places
            )
        ]
    )


class PatchDistance:
    """KID-768 between the clean and the restored patches of folders of pictures.

    Args:
        extractor: Keras model from images to features, `InceptionV3Features(768)`.
        out: Path of the folder that holds a folder a system, and keeps features.
        names: List of the pictures' names.
    """

    def __init__(self, extractor, out, names):
        self._distance = KernelDistance(extractor)
        self._out, self._names = out, names
        self._clean = self._halves("clean")

    @property
    def floor(self):
        """Clean against clean patches, a float; `None` for too few patches."""
        first, second = self._clean
        if min(len(first), len(second)) < LEAST:
            return None
        return kernel_distance(first, second)

    def __call__(self, system):
        """The distance of a system's patches, a float; `None` for too few patches."""
        if self.floor is None:
            return None
        first, second = self._halves(system)
        clean_first, clean_second = self._clean
        return (
            kernel_distance(clean_first, second) + kernel_distance(clean_second, first)
        ) / 2

    def _halves(self, system):
        path = self._out / f"features {system}.npz"
        if not path.exists():
            halves = []
            for start in (0, 1):
                found = [
                    self._distance.features(
                        patches(data.read_image(self._out / system / f"{name}.png"))
                    )
                    for name in self._names[start::2]
                ]
                halves.append(np.concatenate(found))
            np.savez(path, first=halves[0], second=halves[1])
        with np.load(path) as found:
            return found["first"], found["second"]
