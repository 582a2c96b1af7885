"""The sRGB transfer function, against scikit-image's."""

import numpy as np
import pytest
from skimage import color

from keras_indi.data.degradations import (
    DefocusBlur,
    Downsample,
    GaussianBlur,
    MotionBlur,
)
from keras_indi.data.degradations import linear_light as transfer

pytestmark = pytest.mark.backend_free

STORED = np.linspace(0, 1, 1001)


def test_it_is_srgb():
    grey = np.repeat(STORED[:, None, None], 3, axis=-1)
    expected = color.rgb2xyz(grey)[:, 0, 1]  # Y of a grey, the light itself
    np.testing.assert_allclose(transfer.to_light(STORED), expected, atol=2e-6)


def test_there_and_back():
    wide = np.linspace(-0.5, 1.5, 4001)
    np.testing.assert_allclose(
        transfer.from_light(transfer.to_light(wide)), wide, atol=1e-6
    )
    np.testing.assert_array_equal(
        transfer.to_light(-STORED), -transfer.to_light(STORED)
    )
    for function in (transfer.to_light, transfer.from_light):
        assert function(wide.astype("float32")).dtype == np.float32
        assert np.all(np.diff(function(wide)) > 0)


@pytest.mark.parametrize(
    "item",
    [
        GaussianBlur(2.0, linear_light=True),
        DefocusBlur(3.0, linear_light=True),
        MotionBlur(9.0, linear_light=True),
        Downsample(4, linear_light=True),
    ],
    ids=repr,
)
def test_constants_stay(item):
    levels = np.arange(256, dtype="uint8")
    image = np.broadcast_to(levels, (12, 12, 256))
    np.testing.assert_array_equal(item(image, seed=0), image)


def test_a_blurred_edge_is_brighter_than_of_stored_values():
    image = np.zeros((5, 41, 1), "float32")
    image[:, 20:] = 1
    stored = GaussianBlur(2.0)(image, seed=0)
    light = GaussianBlur(2.0, linear_light=True)(image, seed=0)
    grey = np.repeat(light[2], 3, axis=-1)[None].astype("float64")
    np.testing.assert_allclose(color.rgb2xyz(grey)[0, :, 1], stored[2, :, 0], atol=1e-5)
