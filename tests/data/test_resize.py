"""Resizing, against Pillow, OpenCV and the published figures of the benchmarks."""

import cv2
import numpy as np
import pytest
from helpers import shared_folder
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from keras_indi.data.resize import METHODS, resize, resize_block

pytestmark = pytest.mark.backend_free

PILLOW = {
    "nearest": Image.Resampling.NEAREST,
    "area": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
}
SIZES = st.integers(1, 24)


def random_image(height, width, channels=3, seed=0):
    rng = np.random.default_rng(seed)
    return rng.random((height, width, channels), dtype="float32")


def by_pillow(image, height, width, method):
    channels = [
        Image.fromarray(np.ascontiguousarray(image[..., channel]))
        for channel in range(image.shape[-1])
    ]
    return np.stack(
        [np.asarray(c.resize((width, height), PILLOW[method])) for c in channels], -1
    )


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1 / 4, 1 / 3, 1 / 2, 2, 3])
def test_equals_pillow_inside(method, factor):
    # Pillow antialiases and has Keys's a = -1/2 as well; it ends images otherwise.
    image = random_image(48, 60)
    height, width = round(48 * factor), round(60 * factor)
    border = int(np.ceil(2 * max(factor, 1))) + 1
    inner = np.s_[border:-border, border:-border]
    found = resize(image, height, width, method)
    np.testing.assert_allclose(
        found[inner], by_pillow(image, height, width, method)[inner], atol=1e-5
    )


@pytest.mark.parametrize("sizes", [(9, 11), (30, 17), (64, 64)])
def test_bilinear_enlargement_equals_opencv_to_the_border(sizes):
    image = random_image(9, 11)
    expected = cv2.resize(image, sizes[::-1], interpolation=cv2.INTER_LINEAR)
    np.testing.assert_allclose(resize(image, *sizes, "bilinear"), expected, atol=1e-5)
    plain = resize(image, *sizes, "bilinear", antialias=False)
    np.testing.assert_allclose(plain, expected, atol=1e-5)


def test_shrinking_without_antialiasing_equals_opencv():
    image = random_image(40, 30)
    expected = cv2.resize(image, (13, 11), interpolation=cv2.INTER_LINEAR)
    found = resize(image, 11, 13, "bilinear", antialias=False)
    np.testing.assert_allclose(found, expected, atol=1e-5)


@pytest.mark.parametrize("sizes", [(5, 4), (7, 9), (6, 11)])
def test_area_counts_parts_of_pixels_as_opencv(sizes):
    image = random_image(23, 22)
    expected = cv2.resize(image, sizes[::-1], interpolation=cv2.INTER_AREA)
    np.testing.assert_allclose(resize(image, *sizes, "area"), expected, atol=1e-5)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("factor", [1 / 4, 3])
def test_the_image_goes_on_as_its_mirror_image(method, factor):
    image = random_image(12, 16)
    padded = np.pad(image, ((12, 12), (16, 16), (0, 0)), mode="symmetric")
    height, width = round(12 * factor), round(16 * factor)
    expected = resize(padded, 3 * height, 3 * width, method)
    np.testing.assert_allclose(
        resize(image, height, width, method),
        expected[height : 2 * height, width : 2 * width],
        atol=1e-5,
    )


@given(old=st.tuples(SIZES, SIZES), new=st.tuples(SIZES, SIZES), channels=SIZES)
@pytest.mark.parametrize("method", METHODS)
def test_constants_stay_and_dtypes_too(method, old, new, channels):
    for dtype, value in (("uint8", 201), ("uint16", 60001), ("float32", 0.3)):
        image = np.full((*old, channels), value, dtype)
        found = resize(image, *new, method)
        assert found.shape == (*new, channels) and found.dtype == dtype
        np.testing.assert_allclose(found, image.flat[0], rtol=1e-6)


def test_the_same_size_is_the_same_image():
    image = random_image(7, 5)
    for method in METHODS:
        np.testing.assert_array_equal(resize(image, 7, 5, method), image)


def test_integers_round_and_saturate():
    # Bicubic overshoots at an edge by more than a level.
    image = np.zeros((4, 8, 1), "uint8")
    image[:, 4:] = 255
    floats = resize(image.astype("float64"), 8, 16)
    assert floats.min() < -1 and floats.max() > 256
    expected = np.clip(np.rint(floats), 0, 255)
    np.testing.assert_array_equal(resize(image, 8, 16), expected)


def luma(image):
    """Y as MATLAB's rgb2ycbcr has it; a grey image is Y itself."""
    if image.shape[-1] == 1:
        return image[..., 0].astype("float64")
    return 16 + image.astype("float64") @ (65.481, 128.553, 24.966) / 255


@pytest.mark.parametrize("name, published", [("set5", 28.42), ("set14", 26.00)])
def test_published_psnr_of_bicubic_by_4(name, published):
    values = []
    for path in sorted(shared_folder("data", name).glob("*.png")):
        with Image.open(path) as file:
            image = np.asarray(file)
        image = image.reshape(*image.shape[:2], -1)
        height, width = (size // 4 * 4 for size in image.shape[:2])
        image = image[:height, :width]
        again = resize(resize(image, height // 4, width // 4), height, width)
        error = (luma(again) - luma(image))[4:-4, 4:-4]
        values.append(10 * np.log10(255**2 / np.mean(error**2)))
    assert len(values) == {"set5": 5, "set14": 14}[name]
    assert abs(np.mean(values) - published) < 0.05


@pytest.mark.parametrize(
    "arguments, message",
    [
        ((4, 4, "spline"), "method='spline'"),
        ((0, 4), "height=0"),
        ((4, 2.5), "width=2.5"),
    ],
)
def test_errors_name_what_was_received(arguments, message):
    with pytest.raises(ValueError, match=f"Received: {message}"):
        resize(random_image(5, 5), *arguments)
    with pytest.raises(ValueError, match=r"Received: image of shape \(5, 5\)"):
        resize(np.zeros((5, 5)), 4, 4)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("size", [(39, 30), (52, 40), (7, 10), (13, 25)])
def test_a_block_equals_that_of_the_whole_to_the_last_bit(method, size):
    image = np.random.default_rng(0).uniform(0, 255, (13, 10, 3)).astype("float32")
    whole = resize(image, *size, method)
    for rows in (slice(0, 1), slice(3, 6), slice(size[0] - 2, size[0])):
        columns = slice(4, 9)
        block = resize_block(image, *size, rows, columns, method)
        np.testing.assert_array_equal(block, whole[rows, columns])
