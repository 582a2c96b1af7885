"""Sample photographs from scikit-image, for a first training without downloads."""

from collections.abc import Sequence

import numpy as np

from keras_indi.optional_packages import optional_import

# Colour photographs first. Grey ones are included for their textures.
TRAINING = (
    "astronaut",
    "rocket",
    "motorcycle",
    "immunohistochemistry",
    "camera",
    "brick",
    "grass",
    "gravel",
    "coins",
    "moon",
)
HELD_OUT = ("chelsea", "coffee")


def sample_photographs(names: Sequence[str] = TRAINING) -> list[np.ndarray]:
    """Load photographs from the installed scikit-image, without downloads.

    Args:
        names: Sequence of names among `TRAINING` and `HELD_OUT`.

    Returns:
        List of uint8 arrays of shape `(height, width, 3)`.

    Raises:
        ImportError: If scikit-image is not installed.
    """
    optional_import("skimage", "quickstart", purpose="Loading the sample photographs")
    from skimage import color, data

    photographs = []
    for name in names:
        if name == "motorcycle":
            image = data.stereo_motorcycle()[0]
        else:
            image = getattr(data, name)()
        photographs.append(image if image.ndim == 3 else color.gray2rgb(image))
    return photographs
