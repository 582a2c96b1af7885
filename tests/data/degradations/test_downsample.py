"""Shrinking and enlarging; the resizes themselves are tested in test_resize.py."""

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image
from skimage import color

from keras_indi.data.degradations import (
    Compose,
    Downsample,
    FrameAverage,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
)

pytestmark = pytest.mark.backend_free


def image_of(height, width, channels=3):
    rng = np.random.default_rng(0)
    return rng.integers(0, 256, (height, width, channels)).astype("uint8")


def test_down_by_pillow_up_by_opencv():
    image = image_of(48, 56)
    small = np.asarray(Image.fromarray(image).resize((14, 12), Image.Resampling.BOX))
    expected = cv2.resize(
        small.astype("float32"), (56, 48), interpolation=cv2.INTER_LINEAR
    )
    found = Downsample(4, "area")(image, seed=0)
    # Pillow rounds after each axis, so that its small image may be a level off.
    np.testing.assert_allclose(found, expected, atol=1.51)
    assert np.mean(np.abs(found - expected)) < 0.45


def test_small_images_of_integers_are_levels_and_of_floats_are_not():
    image = image_of(24, 24)
    small = Downsample(4, enlarge=False)(image, seed=0)
    assert small.shape == (6, 6, 3) and small.dtype == np.uint8
    expected = cv2.resize(
        small.astype("float32"), (24, 24), interpolation=cv2.INTER_LINEAR
    )
    found = Downsample(4)(image, seed=0)
    np.testing.assert_allclose(found, expected, atol=0.501)
    floats = Downsample(4, enlarge=False)(image.astype("float64") / 255, seed=0)
    between = np.abs(floats * 255 - np.rint(floats * 255))
    assert between.max() > 0.25
    np.testing.assert_allclose(small, np.clip(floats, 0, 1) * 255, atol=0.501)


def test_levels_follow_the_value_range_and_reach_into_groups():
    image = image_of(16, 16).astype("uint16") * 16  # 12 bits, up to 4080
    small = Downsample(2, enlarge=False)(image, 0, value_range=(0, 4095))
    grouped = Compose([Downsample(2)])(image, 0, value_range=(0, 4095))
    expected = cv2.resize(
        small.astype("float32"), (16, 16), interpolation=cv2.INTER_LINEAR
    )
    np.testing.assert_allclose(grouped, expected, atol=0.51)


@given(height=st.integers(1, 20), width=st.integers(1, 20), factor=st.integers(1, 5))
def test_sizes(height, width, factor):
    image = image_of(height, width)
    small = Downsample(factor, enlarge=False)(image, seed=0)
    assert small.shape == (-(-height // factor), -(-width // factor), 3)
    assert Downsample(factor)(image, seed=0).shape == image.shape
    # The weights of each pixel sum to 1, at the borders too.
    flat = np.full_like(image, 77)
    assert np.all(Downsample(factor, enlarge=False)(flat, seed=0) == 77)
    np.testing.assert_array_equal(Downsample(factor)(flat, seed=0), flat)


def test_a_factor_of_1_changes_nothing():
    image = image_of(9, 7)
    np.testing.assert_array_equal(Downsample(1)(image, seed=0), image)


def test_linear_light_averages_light():
    # A chequerboard of black and white has half the light of white.
    image = np.zeros((8, 8, 3), "uint8")
    image[::2, ::2] = image[1::2, 1::2] = 255
    bright = Downsample(2, "area", linear_light=True)(image, seed=0)
    assert np.all(bright == 188) and np.all(Downsample(2, "area")(image, 0) == 128)
    light = color.rgb2xyz(bright.astype("float64") / 255)[..., 1]
    np.testing.assert_allclose(light, 0.5, atol=0.005)


def test_what_crops_need():
    assert [Downsample(4, m).margin for m in ("bicubic", "bilinear", "area")] == [
        12,
        8,
        4,
    ]
    assert Downsample(4).size_multiple == 4 and Downsample(4).reduction == 1
    small = Downsample(4, enlarge=False)
    assert small.margin == 8 and small.reduction == 4
    # Pixels that follow a reduction count for as many of the input's.
    group = Compose([small, GaussianBlur(1.0), Downsample(2, enlarge=False)])
    assert group.reduction == 8 and group.size_multiple == 8
    assert group.margin == 8 + 4 * 4 + 4 * 4


@pytest.mark.parametrize("method", ["bicubic", "area"])
@pytest.mark.parametrize("value_range", [None, (0, 100)])
def test_a_degradation_of_the_small_image(method, value_range):
    image = image_of(33, 42)
    image = image if value_range is None else image // 3
    stored = JPEGCompression(30)
    small = Downsample(4, method, enlarge=False)(image, 0, value_range)
    small = stored(small, 0, value_range)
    found = Downsample(4, method, enlarge=False, degradation=stored)
    np.testing.assert_array_equal(found(image, 0, value_range), small)
    # Nine rows become 36, of which the image has 33.
    expected = cv2.resize(
        small.astype("float32"), (42, 33), interpolation=cv2.INTER_LINEAR
    )
    found = Downsample(4, method, degradation=stored)(image, 0, value_range)
    np.testing.assert_allclose(found, expected, atol=0.501)


def test_it_is_stored_with_its_degradation():
    noisy = Downsample(2, enlarge=False, degradation=GaussianNoise(200))
    small = Compose([noisy])(image_of(32, 32), seed=0)
    assert small.min() == 0 and small.max() == 255
    # A group passes floats on; these were stored before.
    levels = noisy.apply_with_levels(
        image_of(32, 32) / np.float32(255), np.random.default_rng(0), 255
    )
    np.testing.assert_allclose(levels * 255, np.rint(levels * 255), atol=1e-4)
    assert levels.min() == 0 and levels.max() == 1


def test_what_crops_need_with_a_degradation():
    blurred = Downsample(4, degradation=GaussianBlur(1.0))
    assert blurred.margin == 12 + 4 * 4 and blurred.size_multiple == 4
    blocks = Downsample(4, degradation=JPEGCompression())
    assert blocks.period == 64 and blocks.margin == 64
    anywhere = Downsample(4, degradation=JPEGCompression(random_grid=True))
    assert anywhere.period == 4 and anywhere.margin == 12
    nested = Downsample(2, degradation=Downsample(2))
    assert nested.size_multiple == 4 and nested.margin == 20  # 2 * (3 + 2 * 3), and 2
    assert Downsample(1, degradation=GaussianBlur(1.0)).margin == 4


@pytest.mark.parametrize(
    "degradation", [Downsample(2, enlarge=False), FrameAverage(), "blur", 3]
)
def test_degradations_that_small_images_cannot_have(degradation):
    with pytest.raises(ValueError, match="`degradation`.*Received: degradation="):
        Downsample(4, degradation=degradation)
