"""Comparison images of a photograph before and after restoration."""

import numpy as np

from keras_indi.data.resize import resize
from keras_indi.evaluation.plots import contact_sheet
from keras_indi.images.channels import to_channels
from keras_indi.images.value_ranges import RANGES, convert
from keras_indi.images.whole_writes import write_encoded
from keras_indi.restoration.pixels import restore_pixels

NUM_STEPS = (1, 2, 4, 8, 16)
SIDE = 1600  # maximum height and width of the images side by side, in pixels
VIEW = 384  # maximum height and width of the restored crop, in pixels


def compare(model, photograph, restored, paths, **options):
    """Write two comparison images of a restoration.

    The first shows the degraded and the restored image, reduced if they are larger than
    a screen. The second shows a center crop at full resolution: degraded (enlarged by
    the model's scale), and restored with 1, 2, 4, 8 and 16 steps.

    Args:
        model: A `keras_indi.models.InDI`.
        photograph: The degraded `Photograph`.
        restored: The restored `Photograph`.
        paths: The two paths to write.
        **options: `sampler`, `time_grid`, `time_shift`, `seed` and so on of
            `model.restore`.

    Raises:
        ImportError: If Pillow is missing.
    """
    options = {k: v for k, v in options.items() if k not in ("num_steps", "verbose")}
    sides = [as_shown(image.upright) for image in (photograph, restored)]
    sides = [_smaller(_resized(side, sides[1])) for side in sides]
    enlarged = restored.pixels.shape[0] // photograph.pixels.shape[0]
    crop = middle_of(photograph.upright, VIEW // enlarged)
    walks = [
        as_shown(restore_pixels(model, crop, num_steps=steps, verbose=0, **options))
        for steps in NUM_STEPS
    ]
    labels = ["1 step" if steps == 1 else f"{steps} steps" for steps in NUM_STEPS]
    pictures = (
        contact_sheet([sides], ["degraded", "restored"]),
        contact_sheet(
            [[_resized(as_shown(crop), walks[0]), *walks]], ["degraded", *labels]
        ),
    )
    for path, picture in zip(paths, pictures):
        write_encoded(path, picture.save)


def as_shown(pixels: np.ndarray) -> np.ndarray:
    """Convert pixels for display: uint8 of shape `(height, width, 3)`."""
    return to_channels(convert(pixels, "uint8", RANGES["uint8"]), 3)


def _smaller(image):
    from PIL import Image

    picture = Image.fromarray(image)
    picture.thumbnail((SIDE, SIDE), Image.Resampling.LANCZOS)
    return np.asarray(picture)


def _resized(image, other):
    """Resize an image to the size of another, bilinear."""
    return resize(image, *other.shape[:2], "bilinear")


def middle_of(image: np.ndarray, side: int) -> np.ndarray:
    """Return the center crop of an image, at most `side` pixels high and wide."""
    top, left = (max(0, size - side) // 2 for size in image.shape[:2])
    return np.ascontiguousarray(image[top : top + side, left : left + side])
