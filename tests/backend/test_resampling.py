"""Resampling of tensors, against that of arrays."""

import numpy as np
import pytest
from helpers import smooth_images, to_numpy

from keras_indi.backend.resampling import enlarge
from keras_indi.data.resize import resize


@pytest.mark.parametrize("scale", [1, 2, 3, 4])
def test_enlarged_as_arrays_are(scale):
    images = smooth_images(2, height=5, width=4)
    expected = [resize(i, 5 * scale, 4 * scale, "bilinear") for i in images]
    np.testing.assert_allclose(to_numpy(enlarge(images, scale)), expected, rtol=1e-5)
