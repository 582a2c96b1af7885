"""Pure noise: nothing of the image is left."""

import numpy as np
import pytest
from scipy import stats

from keras_indi.data.degradations import PureNoise

pytestmark = pytest.mark.backend_free


def test_it_does_not_depend_on_the_image():
    rng = np.random.default_rng(0)
    first, second = rng.random((2, 24, 20, 3))
    noise = PureNoise()(first, seed=4)
    np.testing.assert_array_equal(noise, PureNoise()(second, seed=4))


def test_it_is_standard_normal_in_the_symmetric_range():
    image = np.zeros((200, 200, 2), "float32")
    noise = PureNoise()(image, seed=0, value_range=(-1, 1))
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-3
    wide = PureNoise(255)(image, seed=0)
    np.testing.assert_allclose(wide, 0.5 + noise, atol=1e-5)
