"""Cut training pairs from images, and degrade them if needed."""

from collections.abc import Callable

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.data import augmentation
from keras_indi.data.resize import resize
from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.value_ranges import RANGES, convert


class CropPair:
    """Make a pair `(degraded, clean)` of equal shape from an element of a source.

    If the clean image is s times larger than the degraded one, the degraded image is
    enlarged by s, bilinear, as in the paper. With a degradation, crops are cut with its
    margin (within the image), degraded and trimmed. The result equals a crop of the
    whole degraded image.

    Args:
        degradation: Callable of `(image, generator)` that degrades elements that are
            clean images, or `None` if all elements are pairs. Its attributes `margin`
            and `size_multiple` are used.
        crop_size: Pair of ints, height and width, or `None` for whole images.
        random: Bool, whether to cut random crops instead of centre crops.
        augment: Bool, whether to draw a flip and a rotation, the same for both images.
        dtype: String, dtype of the result, see `value_ranges`.
        value_range: Value range of the result, see `value_ranges`.
    """

    def __init__(
        self,
        degradation: Callable[..., np.ndarray] | None,
        crop_size: tuple[int, int] | None,
        random: bool,
        augment: bool,
        dtype: str,
        value_range: ValueLimits,
    ) -> None:
        self.degradation = degradation
        self.crop_size = crop_size
        self.random = random
        self.augment = augment
        self.dtype = dtype
        self.value_range = value_range

    def __call__(
        self,
        element: np.ndarray | tuple[np.ndarray, np.ndarray],
        generator: np.random.Generator,
    ) -> tuple[np.ndarray, np.ndarray]:
        """Cut one pair.

        Args:
            element: Tuple of arrays `(degraded, clean)`, or the clean array, of
                shape `(height, width, channels)`, uint8 or uint16.
            generator: A `numpy.random.Generator`.

        Returns:
            Tuple of arrays `(degraded, clean)` of shape `(*crop_size, channels)`.
            They may be views.

        Raises:
            UnusableImageError: If the images are too small or their sizes do not
                match. It is raised before any random number is drawn.
        """
        if isinstance(element, tuple):
            degraded, clean = self._crop_of_pair(*element, generator)
        else:
            degraded, clean = self._degraded_crop(element, generator)
        if self.augment:
            height, width = degraded.shape[:2]
            symmetry = augmentation.random_symmetry(height, width, generator)
            degraded = augmentation.transform(degraded, symmetry)
            clean = augmentation.transform(clean, symmetry)
        return degraded, clean

    def _crop_of_pair(self, degraded, clean, generator):
        scale = scale_of(degraded.shape, clean.shape)
        clean_size = clean.shape[:2]
        rows, columns = self._place(*clean_size, generator)
        clean = self._converted(clean[rows, columns])
        if scale == 1:
            return self._converted(degraded[rows, columns]), clean
        # One more pixel on each side, which the interpolation needs.
        block, inside = _around(rows, columns, scale, scale, clean_size)
        block = tuple(slice(p.start // scale, p.stop // scale) for p in block)
        degraded = self._converted(degraded[block])
        height, width = (scale * size for size in degraded.shape[:2])
        enlarged = resize(degraded, height, width, "bilinear", antialias=False)
        return enlarged[inside], clean

    def _degraded_crop(self, clean, generator):
        margin = getattr(self.degradation, "margin", 0)
        multiple = getattr(self.degradation, "size_multiple", 1)
        height, width = (size // multiple * multiple for size in clean.shape[:2])
        rows, columns = self._place(height, width, generator)
        block, inside = _around(rows, columns, margin, multiple, (height, width))
        clean = self._converted(clean[block])
        own_range = self.value_range == RANGES[self.dtype]
        arguments = () if own_range else (self.value_range,)
        degraded = self.degradation(clean, generator, *arguments)
        if degraded.shape != clean.shape or degraded.dtype != clean.dtype:
            raise ValueError(
                "A degradation must keep the image's shape and dtype. Received: "
                f"degradation={self.degradation!r}, which turned an image of shape "
                f"{clean.shape} and dtype {clean.dtype} into one of shape "
                f"{degraded.shape} and dtype {degraded.dtype}"
            )
        return degraded[inside], clean[inside]

    def _place(self, height, width, generator):
        """Return the rows and columns of the crop, as slices."""
        # (Rounding down to a degradation's `size_multiple` may leave no pixel.)
        least = self.crop_size or (1, 1)
        if height < least[0] or width < least[1]:
            raise UnusableImageError(
                f"too small ({height}x{width} pixels, crop_size={self.crop_size})"
            )
        if self.crop_size is None:
            return slice(0, height), slice(0, width)
        free = height - least[0], width - least[1]
        if self.random:
            corner = [int(generator.integers(size + 1)) for size in free]
        else:
            corner = [size // 2 for size in free]
        return tuple(
            slice(start, start + size) for start, size in zip(corner, self.crop_size)
        )

    def _converted(self, image):
        return convert(image, self.dtype, self.value_range)


def scale_of(degraded_shape: tuple[int, ...], clean_shape: tuple[int, ...]) -> int:
    """Return the size of the clean image relative to the degraded one.

    Args:
        degraded_shape: Tuple of ints, `(height, width, channels)`.
        clean_shape: Tuple of ints, `(height, width, channels)`.

    Returns:
        Int >= 1, the same in height and width.

    Raises:
        UnusableImageError: If the sizes do not have one integer ratio.
    """
    scale = clean_shape[0] // degraded_shape[0]
    if scale < 1 or tuple(clean_shape[:2]) != tuple(
        scale * size for size in degraded_shape[:2]
    ):
        raise UnusableImageError(
            "sizes that do not fit: the clean image must be as large as the "
            "degraded one, or a whole number of times larger (degraded "
            f"{degraded_shape[0]}x{degraded_shape[1]}, clean "
            f"{clean_shape[0]}x{clean_shape[1]})"
        )
    return scale


def _around(rows, columns, margin, multiple, limits):
    """Return the block that a crop requires, and the crop's place in the block.

    Args:
        rows: Slice, rows of the crop.
        columns: Slice, columns of the crop.
        margin: Int, pixels around the crop.
        multiple: Int. The block begins and ends at multiples of it.
        limits: Pair of ints, multiples of `multiple`, the height and width that limit
            the block.

    Returns:
        Two tuples of slices: the block, and the crop within it.
    """
    block, inside = [], []
    for place, limit in zip((rows, columns), limits):
        start = max(0, place.start - margin) // multiple * multiple
        stop = min(limit, -(-(place.stop + margin) // multiple) * multiple)
        block.append(slice(start, stop))
        inside.append(slice(place.start - start, place.stop - start))
    return tuple(block), tuple(inside)
