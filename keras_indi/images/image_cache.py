"""Cache of decoded images."""

from collections.abc import Callable, Hashable
from typing import TypeVar

import numpy as np

from keras_indi.validation import checked_integer

Images = TypeVar("Images", np.ndarray, tuple[np.ndarray, ...])


class ImageCache:
    """Cache decoded images while they fit. Cached images are never evicted.

    Args:
        max_bytes: Int, memory for the images. 0 keeps none.
    """

    def __init__(self, max_bytes: int):
        self._free_bytes = checked_integer("cache_bytes", max_bytes, least=0)
        self._images: dict = {}

    def get(self, key: Hashable, read: Callable[[], Images]) -> Images:
        """Return the images of a key, and read them if they are not cached.

        Args:
            key: Hashable that identifies the images.
            read: Function without arguments that reads them: an array, or a tuple
                of arrays.
        """
        images = self._images.get(key)
        if images is None:
            images = read()
            arrays = images if isinstance(images, tuple) else (images,)
            size = sum(array.nbytes for array in arrays)
            # Which images fit depends on the order of threads. Their content does not.
            if size <= self._free_bytes:
                self._free_bytes -= size
                self._images[key] = images
        return images
