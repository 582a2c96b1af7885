"""The base class of degradations: what makes a degraded image of a clean one."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.configurable import Configurable
from keras_indi.validation import checked_value_range

FULL_RANGES = {"uint8": (0, 255), "uint16": (0, 65535)}
SHAPES = {3: "(height, width, channels)", 4: "(frames, height, width, channels)"}


class Degradation(Configurable):
    """Base class of what turns a clean image into a degraded one.

    A degradation is a small serializable object in plain NumPy, the same on each
    backend and in worker processes without one. All that is random in it is
    drawn from the seed of the call. Where an argument is given as a pair
    `(low, high)`, each call draws its value uniformly between the two.

    For a degradation of your own, override `apply`:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class Fog(keras_indi.data.degradations.Degradation):
        def __init__(self, density=0.3):
            self.density = density

        def apply(self, image, generator):
            density = self.density * generator.random()
            return (1 - density) * image + density
    ```

    Attributes:
        margin: Int. The result at a pixel depends on no input farther away than
            this many pixels, in rows or columns. So a crop that is cut with this
            margin, degraded and trimmed equals the crop of the degraded whole.
            Defaults to 0.
        size_multiple: Int. For that to hold, the rows and columns at which crops
            begin, and their sizes, must be multiples of this. Images of any size
            are accepted nonetheless. Defaults to 1.
        reduction: Int, how many times smaller the result is, in height and in
            width. Defaults to 1.
        period: Int, the period in pixels of a pattern that begins at the image's
            top left pixel, such as the blocks of JPEG. `Compose` trims by
            multiples of it. Defaults to 1.
        axes: Int, the number of axes of the input. Defaults to 3, `(height, width,
            channels)`.
    """

    if TYPE_CHECKING:  # a subclass may override an attribute by a property

        @property
        def margin(self) -> int: ...
        @property
        def size_multiple(self) -> int: ...
        @property
        def reduction(self) -> int: ...
        @property
        def period(self) -> int: ...
        @property
        def axes(self) -> int: ...
    else:
        margin = 0
        size_multiple = 1
        reduction = 1
        period = 1
        axes = 3

    def __call__(
        self,
        image: np.ndarray,
        seed: int | Sequence[int] | np.random.Generator,
        value_range: ValueLimits | None = None,
    ) -> np.ndarray:
        """Degrade an image.

        Args:
            image: Array of shape `(height, width, channels)`, any number of
                channels, of dtype uint8, uint16 or a float. It is not changed.
            seed: Int or sequence of ints, at least 0, or a
                `numpy.random.Generator`, which moves on. Equal seeds give equal
                results.
            value_range: Pair of numbers, black and white. Defaults to (0, 255)
                for uint8, (0, 65535) for uint16 and (0, 1) for floats.

        Returns:
            Array of the same shape (see `reduction`) and dtype. Integers are
            rounded and clipped to the value range; floats are not clipped.

        Raises:
            ValueError: If the image, the seed or the range is none of these.
            ImportError: If a library that the degradation needs is missing.
        """
        image = np.asarray(image)
        low, high = self._bounds(image, value_range)
        generator = _generator(seed)
        units = (image.astype("float32") - low) / (high - low)
        integers = image.dtype.name in FULL_RANGES
        levels = high - low if integers else None
        degraded = self.apply_with_levels(units, generator, levels)
        degraded = degraded * (high - low) + low
        if integers:
            degraded = np.clip(np.rint(degraded), low, high)
        return degraded.astype(image.dtype)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        """What a subclass overrides: the degradation itself.

        Args:
            image: float32 array of shape `(height, width, channels)` in units
                of the value range: 0 is black, 1 is white. Values beyond may
                occur. It must not be changed.
            generator: A `numpy.random.Generator`, the only source of randomness.

        Returns:
            float32 array of the same shape, not clipped.
        """
        raise NotImplementedError

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        """`apply`, for the few that store an image in between.

        Args:
            image: As for `apply`.
            generator: As for `apply`.
            levels: The number of steps from black to white of an image of
                integers (255 for uint8), `None` for floats.

        Returns:
            As for `apply`.
        """
        return self.apply(image, generator)

    def _bounds(self, image, value_range):
        received = f"Received: image of shape {image.shape} and dtype {image.dtype}"
        if image.ndim != self.axes or image.size == 0:
            raise ValueError(
                f"{type(self).__name__} degrades arrays of shape {SHAPES[self.axes]} "
                "that are not empty; a grey image needs an axis of 1 channel. "
                + received
            )
        full_range = FULL_RANGES.get(image.dtype.name)
        # bfloat16 is a NumPy extension type that np.issubdtype does not know.
        is_float = np.issubdtype(image.dtype, np.floating)
        if not (full_range or is_float or image.dtype.name == "bfloat16"):
            raise ValueError(f"`image` must be of uint8, uint16 or floats. {received}")
        if value_range is None:
            value_range = full_range or (0, 1)
        low, high = checked_value_range(value_range)
        if full_range and not (0 <= low and low + 2 < high <= full_range[1]):
            raise ValueError(
                f"The `value_range` of integers must lie within {full_range} and "
                "cannot be a float range; divide the image into such a range. "
                f"{received}, value_range={value_range!r}"
            )
        return low, high


def _generator(seed):
    if seed is not None:
        try:
            return np.random.default_rng(seed)
        except (TypeError, ValueError):
            pass
    raise ValueError(
        "`seed` must be an integer of at least 0, a sequence of such, or a "
        f"numpy.random.Generator. Received: seed={seed!r}"
    )
