"""Base class of degradations."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.configurable import Configurable
from keras_indi.validation import checked_value_range

FULL_RANGES = {"uint8": (0, 255), "uint16": (0, 65535)}
SHAPES = {3: "(height, width, channels)", 4: "(frames, height, width, channels)"}


class Degradation(Configurable):
    """Base class of degradations, which turn a clean image into a degraded one.

    A degradation is a small serializable object in plain NumPy. It works the same on
    every backend, and in worker processes without one. All randomness comes from the
    seed of the call. If an argument is a pair `(low, high)`, each call draws its value
    uniformly between the two.

    To implement your own degradation, override `apply`:

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
        margin: Int, maximum distance in rows or columns of input pixels on which a
            result pixel depends. A crop that is cut with this margin, degraded and
            trimmed equals a crop of the whole degraded image. Defaults to 0.
        size_multiple: Int. For this equality, the origins and sizes of crops must be
            multiples of it. Images of any size are accepted nevertheless. Defaults
            to 1.
        reduction: Int, factor by which height and width of the result are smaller.
            Defaults to 1.
        period: Int, period in pixels of a pattern that begins at the top left pixel,
            such as the blocks of JPEG. `Compose` trims by multiples of it. Defaults
            to 1.
        axes: Int, number of axes of the input. Defaults to 3, `(height, width,
            channels)`.
    """

    if TYPE_CHECKING:  # a subclass may override an attribute with a property

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
            image: Array of shape `(height, width, channels)`, with any number of
                channels and dtype uint8, uint16 or float. It is not modified.
            seed: Int or sequence of ints, at least 0, or a `numpy.random.Generator`,
                which is advanced. Equal seeds give equal results.
            value_range: Pair of numbers, values of black and white. Defaults to
                (0, 255) for uint8, (0, 65535) for uint16 and (0, 1) for floats.

        Returns:
            Array of the same shape (see `reduction`) and dtype. Integers are
            rounded and clipped to the value range; floats are not clipped.

        Raises:
            ValueError: If the image, the seed or the range is not valid.
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
        """Degrade an image. To be implemented by subclasses.

        Args:
            image: float32 array of shape `(height, width, channels)`, scaled so that
                0 is black and 1 is white. Values outside may occur. It must not be
                modified.
            generator: A `numpy.random.Generator`, the only source of randomness.

        Returns:
            float32 array of the same shape, not clipped.
        """
        raise NotImplementedError

    def apply_with_levels(
        self, image: np.ndarray, generator: np.random.Generator, levels: int | None
    ) -> np.ndarray:
        """Degrade an image, like `apply`, with the levels of stored integers.

        Args:
            image: As for `apply`.
            generator: As for `apply`.
            levels: Number of steps from black to white for integers (255 for uint8),
                `None` for floats.

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
        # np.issubdtype does not recognize bfloat16, a NumPy extension type.
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
