"""Crops of pairs equal crops of the whole."""

import numpy as np
import pytest
from helpers import smooth_images
from hypothesis import given
from hypothesis import strategies as st
from scipy import ndimage

from keras_indi.data.crops import CropPair, scale_of
from keras_indi.data.degradations import Compose, Downsample, GaussianBlur
from keras_indi.data.resize import resize
from keras_indi.images.decoding import UnusableImageError

pytestmark = pytest.mark.backend_free


def image(height, width, channels=3, seed=0):
    return smooth_images(1, height, width, channels, seed)[0].astype("uint8")


def crop_pair(degradation=None, crop_size=(8, 8), random=True, augment=False, **kwargs):
    arguments = {"dtype": "uint8", "value_range": (0, 255), **kwargs}
    return CropPair(degradation, crop_size, random, augment, **arguments)


def find(crop, whole):
    """Where a crop lies in an image; it must be found once."""
    windows = np.lib.stride_tricks.sliding_window_view(whole, crop.shape)[:, :, 0]
    (places,) = [np.argwhere(np.all(windows == crop, axis=(2, 3, 4)))]
    assert len(places) == 1
    return tuple(places[0])


@given(st.integers(8, 24), st.integers(8, 24), st.integers(0, 10**6))
def test_both_sides_are_cut_at_the_same_place(height, width, seed):
    clean = np.arange(height * width * 3, dtype="uint16").reshape(height, width, 3)
    pair = crop_pair(dtype="uint16", value_range=(0, 65535), augment=True)
    degraded, cut = pair((clean + 1, clean), np.random.default_rng(seed))
    assert cut.shape == (8, 8, 3)
    np.testing.assert_array_equal(degraded, cut + 1)


def test_crops_reach_every_place():
    clean = np.arange(10 * 11, dtype="uint8").reshape(10, 11, 1)
    generator = np.random.default_rng(0)
    pair = crop_pair()
    found = {find(pair((clean, clean), generator)[1], clean) for _ in range(300)}
    assert found == {(row, column) for row in range(3) for column in range(4)}


def test_without_training_the_centre_is_cut():
    clean = image(20, 31)
    pair = crop_pair(random=False)
    _, cut = pair((clean, clean), np.random.default_rng(0))
    np.testing.assert_array_equal(cut, clean[6:14, 11:19])
    whole = crop_pair(crop_size=None, random=False)
    assert whole((clean, clean), np.random.default_rng(0))[1].shape == (20, 31, 3)


@given(
    st.sampled_from([2, 3, 4]),
    st.integers(4, 9),
    st.integers(4, 9),
    st.sampled_from(["uint8", "float32"]),
    st.integers(0, 10**6),
)
def test_a_smaller_degraded_image_is_enlarged_as_a_whole(
    scale, height, width, dtype, seed
):
    degraded = image(height, width, seed=seed)
    clean = np.arange(scale**2 * height * width, dtype="uint16")
    clean = clean.reshape(scale * height, scale * width, 1)
    ranges = {"uint8": (0, 255), "float32": (0, 255)}
    pair = crop_pair(crop_size=(7, 8), dtype=dtype, value_range=ranges[dtype])
    # The clean image tells where the crop was cut.
    clean_pair = crop_pair(crop_size=(7, 8), dtype="uint16", value_range=(0, 65535))
    _, cut = clean_pair((clean, clean), np.random.default_rng(seed))
    top, left = find(cut, clean)
    found, _ = pair((degraded, clean), np.random.default_rng(seed))
    enlarged = resize(
        degraded.astype(dtype),
        scale * height,
        scale * width,
        "bilinear",
        antialias=False,
    )
    expected = enlarged[top : top + 7, left : left + 8]
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


def test_the_enlargement_is_bilinear_with_half_pixel_centres():
    degraded = image(9, 11)
    clean = np.zeros((27, 33, 3), "uint8")
    pair = crop_pair(
        crop_size=None, random=False, dtype="float32", value_range=(0, 255)
    )
    found, _ = pair((degraded, clean), np.random.default_rng(0))
    rows, columns = np.mgrid[:27, :33]
    places = [(rows + 0.5) / 3 - 0.5, (columns + 0.5) / 3 - 0.5]
    for channel in range(3):
        expected = ndimage.map_coordinates(
            degraded[..., channel].astype(float), places, order=1, mode="nearest"
        )
        np.testing.assert_allclose(found[..., channel], expected, rtol=0, atol=1e-3)


@pytest.mark.parametrize(
    "degradation",
    [
        GaussianBlur(1.0),
        Downsample(4),
        Compose([GaussianBlur(0.7), Downsample(2)]),
    ],
    ids=["blur", "downsample", "compose"],
)
@pytest.mark.parametrize("seed", range(6))
def test_a_degraded_crop_is_the_crop_of_the_degraded_whole(degradation, seed):
    clean = image(49, 62, seed=3)
    multiple = degradation.size_multiple
    height, width = (size // multiple * multiple for size in clean.shape[:2])
    clean = np.ascontiguousarray(clean)
    pair = crop_pair(
        degradation, crop_size=(13, 10), dtype="float32", value_range=(0, 255)
    )
    degraded, cut = pair(clean, np.random.default_rng(seed))
    top, left = find(cut.astype("uint8"), clean)
    usable = clean[:height, :width].astype("float32")
    whole = degradation(usable, 0, (0, 255))
    expected = whole[top : top + 13, left : left + 10]
    np.testing.assert_allclose(degraded, expected, rtol=0, atol=0.02)


def test_a_callable_gets_the_crop_and_a_generator():
    def brighten(image, generator):
        return image + np.uint8(generator.integers(1, 9))

    clean = np.zeros((12, 12, 1), "uint8")
    degraded, cut = crop_pair(brighten)(clean, np.random.default_rng(0))
    assert not cut.any() and np.ptp(degraded) == 0 and degraded.max() > 0


def test_what_does_not_fit_draws_nothing():
    generator = np.random.default_rng(0)
    before = generator.bit_generator.state
    small = image(7, 30)
    with pytest.raises(UnusableImageError, match=r"too small \(7x30"):
        crop_pair()((small, small), generator)
    with pytest.raises(UnusableImageError, match="do not fit.*7x30.*14x59"):
        crop_pair()((small, image(14, 59)), generator)
    with pytest.raises(UnusableImageError, match="do not fit"):
        crop_pair()((image(14, 60), small), generator)
    with pytest.raises(UnusableImageError, match=r"too small \(0x8"):
        crop_pair(Downsample(4), crop_size=None)(image(3, 8), generator)
    assert generator.bit_generator.state == before
    assert scale_of((7, 30, 3), (21, 90, 3)) == 3


def test_a_degradation_that_changes_the_shape_is_refused():
    with pytest.raises(ValueError, match=r"keep.*turned an image of shape \(8, 8, 3"):
        crop_pair(lambda image, _: image[1:])(image(9, 9), np.random.default_rng(0))


def test_of_a_mixed_source_only_clean_images_are_degraded():
    clean = image(20, 31)
    pair = crop_pair(lambda image, generator: 255 - image, random=False)
    degraded, cut = pair(clean, np.random.default_rng(0))
    np.testing.assert_array_equal(degraded, 255 - cut)
    degraded, cut = pair((clean // 2, clean), np.random.default_rng(0))
    np.testing.assert_array_equal(degraded, cut // 2)
