"""JPEG compression."""

import io

import keras
import numpy as np

from keras_indi.annotations import NumberOrRange
from keras_indi.data.degradations import parameters
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.optional_packages import optional_import
from keras_indi.validation import checked_bool, checked_choice

SUBSAMPLINGS = ("4:4:4", "4:2:2", "4:2:0")
BLOCKS = 16  # pixels: blocks of 8 at half the resolution for colours


@keras.saving.register_keras_serializable(package="keras_indi")
class JPEGCompression(Degradation):
    """Write the image as JPEG and read it again, with Pillow.

    JPEG has 8 bits. uint16 and float images are first clipped to the value range and
    rounded to 256 levels. Three channels are compressed as one RGB image. For any other
    number, each channel is compressed as a separate grey image. A crop is compressed as
    a separate file. Its blocks begin at its top left pixel, or at a random offset with
    `random_grid`.

    Args:
        quality: Int from 1 to 100, as in Pillow and libjpeg, or a pair `(low, high)`
            from which each call draws an integer, both included.
        subsampling: Chroma subsampling: `"4:4:4"` (full resolution), `"4:2:2"` (half
            width) or `"4:2:0"` (half width and height), the default of Pillow and
            most cameras.
        random_grid: Bool, whether each call shifts the blocks by a random number of
            rows and columns, as in images that are cropped after compression.
            Defaults to `False`.

    Example:

    >>> compressed = keras_indi.data.degradations.JPEGCompression(15)(image, seed=0)
    """

    def __init__(
        self,
        quality: NumberOrRange = (10, 50),
        subsampling: str = "4:2:0",
        random_grid: bool = False,
    ) -> None:
        bounds = parameters.number_or_range(quality, "quality", 1, 100)
        if np.any(np.asarray(bounds) % 1):
            raise ValueError(
                "`quality` must be an integer or a pair of integers. Received: "
                f"quality={quality!r}"
            )
        self.quality: int | tuple[int, ...] = (
            tuple(map(int, bounds)) if isinstance(bounds, tuple) else int(bounds)
        )
        self.subsampling = checked_choice("subsampling", subsampling, SUBSAMPLINGS)
        self.random_grid = checked_bool("random_grid", random_grid)

    @property
    def period(self) -> int:
        """The size of blocks; or 1 if they begin anywhere."""
        return 1 if self.random_grid else BLOCKS

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        quality = self.quality
        if isinstance(quality, tuple):
            low, high = quality
            quality = int(generator.integers(low, high, endpoint=True))
        stored = np.rint(np.clip(image, 0, 1) * 255).astype("uint8")
        top = left = 0
        if self.random_grid:
            top, left = generator.integers(BLOCKS, size=2)
            stored = np.pad(stored, ((top, 0), (left, 0), (0, 0)), "edge")
        if image.shape[-1] == 3:
            read = self._round_trip(stored, quality)
        else:
            channels = [
                self._round_trip(stored[..., channel], quality)
                for channel in range(image.shape[-1])
            ]
            read = np.stack(channels, axis=-1)
        return read[top:, left:].astype("float32") / 255

    def _round_trip(self, stored, quality):
        Image = optional_import("PIL.Image", extra="data", purpose="JPEGCompression")
        file = io.BytesIO()
        Image.fromarray(stored).save(
            file, "JPEG", quality=quality, subsampling=self.subsampling
        )
        return np.asarray(Image.open(file))
