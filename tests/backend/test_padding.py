"""Padding of tensors, against that of arrays."""

import numpy as np
import pytest
from helpers import smooth_images, to_numpy

from keras_indi.backend.padding import pad_to_multiple
from keras_indi.inference.arrays import PaddedImage


@pytest.mark.parametrize("height, width", [(1, 1), (1, 5), (2, 3), (8, 16), (13, 9)])
@pytest.mark.parametrize("multiple", [1, 2, 8])
def test_padded_as_restore_pads(height, width, multiple):
    images = smooth_images(2, height, width)
    expected = [PaddedImage(image, multiple)[:, :] for image in images]
    found = to_numpy(pad_to_multiple(images, multiple))
    np.testing.assert_array_equal(found, expected)
