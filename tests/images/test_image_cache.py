"""`ImageCache`: images are kept as long as they fit."""

import numpy as np
import pytest

from keras_indi.images.image_cache import ImageCache

pytestmark = pytest.mark.backend_free


def test_what_fits_is_read_once():
    image, read = np.zeros((4, 4, 3), "uint8"), []
    cache = ImageCache(3 * image.nbytes)

    def images_of(key, count):
        def load():
            read.append(key)
            return (image,) * count if count > 1 else image

        return cache.get(key, load)

    for _ in range(2):
        assert len(images_of("pair", 2)) == 2
        assert images_of("single", 1) is image
        images_of("too much", 1)  # the memory is used up
    assert read == ["pair", "single", "too much", "too much"]
