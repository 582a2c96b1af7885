"""Real photographs and what spoils them, for the tests of metrics."""

import numpy as np
from PIL import Image
from scipy import ndimage

from keras_indi.data.sample_photographs import sample_photographs


def photographs(size=(72, 90), names=("astronaut", "chelsea", "coffee")):
    """uint8 crops of scikit-image's photographs, `(count, height, width, 3)`."""
    height, width = size
    return np.stack(
        [
            image[100 : 100 + height, 150 : 150 + width]
            for image in sample_photographs(names)
        ]
    )


def read(path):
    return np.asarray(Image.open(path).convert("RGB"))


def noisy(images, strength, seed=0):
    noise = np.random.default_rng(seed).normal(0, strength, images.shape)
    return np.clip(np.rint(images + noise), 0, 255).astype("uint8")


def blurred(images, strength):
    return ndimage.gaussian_filter(images, (0, strength, strength, 0))


def darkened(images, strength):
    return np.rint(images * (1 - strength)).astype("uint8")


# Each with strengths that grow.
DEGRADATIONS = {
    "noise": (noisy, (5, 15, 40)),
    "blur": (blurred, (0.7, 1.5, 3.0)),
    "darkness": (darkened, (0.1, 0.3, 0.6)),
}
