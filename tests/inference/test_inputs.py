import warnings

import numpy as np
import pytest

from keras_indi.inference import inputs
from keras_indi.value_range import ValueRange

IMAGE = np.arange(5 * 7 * 2, dtype="float32").reshape(5, 7, 2)


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "int32", "float16", "float64"])
def test_like_input_clips_and_gives_the_dtype_back(dtype):
    restored = np.array([-3.0, 0.4, 0.6, 99.5, 254.7, 300.0], "float32")
    found = inputs.like_input(restored, np.dtype(dtype), ValueRange((0.0, 255.0)))
    assert found.dtype == dtype
    clipped = np.clip(restored, 0, 255)
    expected = clipped if "float" in dtype else [0, 0, 1, 100, 255, 255]
    np.testing.assert_array_equal(found, np.asarray(expected).astype(dtype))


def test_like_input_without_a_range_keeps_floats_and_saturates_integers():
    restored = np.array([-3.0, 300.0], "float32")
    np.testing.assert_array_equal(
        inputs.like_input(restored, np.dtype("float32"), ValueRange(None)), restored
    )
    np.testing.assert_array_equal(
        inputs.like_input(restored, np.dtype("uint8"), ValueRange(None)), [0, 255]
    )
    np.testing.assert_array_equal(
        inputs.like_input(restored, np.dtype("int16"), ValueRange(None)), [-3, 300]
    )


def test_like_input_saturates_integers_where_the_range_exceeds_them():
    restored = np.array([-9.0, 256.0, 300.0], "float32")
    for value_range, dtype, expected in [
        ((-10, 1000), "uint8", [0, 255, 255]),
        ((0, 256), "uint8", [0, 255, 255]),
        ((0, 255), "int8", [0, 127, 127]),
    ]:
        found = inputs.like_input(restored, np.dtype(dtype), ValueRange(value_range))
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", ["int32", "uint32", "int64", "uint64"])
@pytest.mark.parametrize("ranged", [False, True])
def test_white_of_wide_integers_stays_white(dtype, ranged):
    # The largest of each is no float32; the next one would turn to the smallest.
    most = np.iinfo(dtype).max
    restored = np.array([most, 0.5 * most, 0], "float32")
    value_range = ValueRange((0, most) if ranged else None)
    found = inputs.like_input(restored, np.dtype(dtype), value_range)
    assert found.dtype == dtype and found[2] == 0
    np.testing.assert_allclose(found / most, [1, 0.5, 0], rtol=1e-7)
    exact = dtype.endswith("32")
    assert not exact or found[0] == most


def test_overshoot_within_a_tenth_of_the_range_is_accepted():
    for value_range, factor in [((0.0, 255.0), 255), ((-1.0, 1.0), 2)]:
        low, high = value_range
        good = np.array([low - 0.09 * factor, high + 0.09 * factor], "float32")
        inputs.check_image(good.reshape(1, 1, 2), value_range, 2, degraded=False)
        for bad in (low - 0.11 * factor, high + 0.11 * factor):
            image = np.full((1, 1, 2), bad)
            for degraded in (True, False):
                with pytest.raises(ValueError, match="(?s)Received: images of shape"):
                    inputs.check_image(image, value_range, 2, degraded=degraded)


def test_noise_may_overshoot_the_range_but_another_scale_may_not():
    draw = np.random.default_rng(0).standard_normal((64, 64, 3))
    black, grey = 50 / 255 * draw, 0.5 + 0.5 * draw
    for noisy in (black, grey):
        inputs.check_image(noisy, (0, 1), 3)
        inputs.check_image(255 * noisy, (0, 255), 3)
        with pytest.raises(ValueError, match="value_range"):
            inputs.check_image(noisy, (0, 1), 3, degraded=False)
        with pytest.raises(ValueError, match="value_range"):
            inputs.check_image(255 * noisy, (0, 1), 3)
    # One value of another scale is enough, or many a little outside.
    black[0, 0, 0] = 5
    with pytest.raises(ValueError, match="values from .* to 5"):
        inputs.check_image(black, (0, 1), 3)
    with pytest.raises(ValueError, match="value_range"):
        inputs.check_image(np.linspace(-1, 0.5, 48).reshape(4, 4, 3), (0, 1), 3)


@pytest.mark.parametrize(
    "image, value_range, channels",
    [
        (IMAGE, None, None),
        (IMAGE * 1e6, None, 2),
        (IMAGE[None], (0, 255), 2),
        (IMAGE.astype("uint16") * 900, (0, 65535), 2),
        (IMAGE.astype("float16"), (0, 255), None),
        (IMAGE.astype("int64"), (0, 255), None),
    ],
)
def test_good_images_pass_unchanged(image, value_range, channels):
    before = image.copy()
    assert inputs.check_image(image, value_range, channels) is None
    np.testing.assert_array_equal(image, before)


@pytest.mark.parametrize(
    "image, value_range, message",
    [
        (IMAGE[0], (0, 255), r"shape \(7, 2\)"),
        (IMAGE[..., :1], (0, 255), r"2 channel.*shape \(5, 7, 1\)"),
        (IMAGE[:0], None, "empty"),
        (IMAGE.astype("complex64"), None, "dtype complex64"),
        (np.full((1, 1, 2), "a"), None, "dtype <U1"),
        (IMAGE.astype("uint8"), (0, 1), r"dtype uint8, value_range=\(0, 1\)"),
        (IMAGE.astype("uint8"), (-1, 1), r"dtype uint8, value_range=\(-1, 1\)"),
        (np.where(IMAGE == 3, np.inf, IMAGE), None, "1 values NaN or infinite"),
        (np.where(IMAGE < 3, np.nan, IMAGE), (0, 255), "3 values NaN or infinite"),
    ],
)
def test_bad_images_are_described(image, value_range, message):
    with pytest.raises(ValueError, match="(?s)`photo` .*|.*") as error:
        inputs.check_image(image, value_range, 2, "photo")
    assert error.match(
        "(?s)Received: photo of shape.*" if "channel" not in message else message
    )
    assert error.match("(?s)" + message)


def test_large_images_are_checked_to_their_last_block(monkeypatch):
    monkeypatch.setattr(inputs, "VALUES_PER_BLOCK", 30)
    image = np.full((9, 5, 2), 100.0, "float32")
    inputs.check_image(image, (0, 255), 2)
    image[[0, 8], 0, 0] = np.nan
    with pytest.raises(ValueError, match="2 values NaN"):
        inputs.check_image(image, (0, 255), 2)
    image[[0, 8], 0, 0] = -100, 4000
    with pytest.raises(ValueError, match="values from -100 to 4000"):
        inputs.check_image(image, (0, 255), 2)


def test_what_is_read_by_blocks_stays_as_it_is():
    class Stored:
        ndim, shape, dtype = 3, (2, 2, 1), np.dtype("uint8")

        def __getitem__(self, index):
            return np.zeros(self.shape, self.dtype)[index]

    stored = Stored()
    (found,), structure = inputs.normalize_inputs(stored, None, None)
    assert found is stored and structure == "image"
    (found,), structure = inputs.normalize_inputs([[[[1.0]]]], None, None)
    assert isinstance(found, np.ndarray) and structure == "list"


@pytest.mark.parametrize("high", [1.0, 0.3])
def test_fractions_in_a_range_of_levels_are_noticed(high):
    image = np.random.default_rng(0).uniform(0, high, (4, 4, 3)).astype("float32")
    with pytest.warns(UserWarning, match=r"`photo`.*value_range is \(0, 255\)"):
        inputs.check_image(image, (0, 255), 3, "photo")
    with pytest.warns(UserWarning, match="would look black"):
        inputs.check_image(2 * image - high, (0, 65535), 3)


@pytest.mark.parametrize(
    "image, value_range",
    [
        (np.zeros((4, 4, 3)), (0, 255)),  # black
        (np.eye(4)[..., None], (0, 255)),  # levels 0 and 1
        (np.full((4, 4, 3), 0.5), (0, 1)),
        (np.full((4, 4, 3), 0.5), (0, 49)),
        (np.full((4, 4, 3), 0.5), None),
        (np.array([[[0.5]], [[1.5]]]), (0, 255)),
        (np.ones((4, 4, 3), "uint8"), (0, 255)),
        (np.ones((4, 4, 3), "uint8"), (0, 4095)),
        (np.ones((4, 4, 3), "uint8"), (-100, 155)),
    ],
    ids=repr,
)
@pytest.mark.filterwarnings("error")
def test_dark_images_are_not(image, value_range):
    inputs.check_image(image, value_range, None)


def test_integers_that_cannot_fill_the_range_are_refused():
    image = np.full((4, 4, 3), 255, "uint8")
    with pytest.raises(ValueError, match=r"uint8.*value_range=\(0, 65535\).*Received"):
        inputs.check_image(image, (0, 65535), 3)


def test_the_warning_of_another_range_is_shown_once():
    images = np.random.default_rng(0).uniform(0.1, 0.9, (3, 4, 4, 3))
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("default")
        for top in (1.0, 0.9, 0.8):  # other values, one at a time and in a list
            inputs.normalize_inputs(top * images[0], (0, 255), 3)
            inputs.normalize_inputs(list(top * images), (0, 255), 3)
    texts = {str(one.message) for one in shown}
    assert len(texts) == 1 and "`images`" in texts.pop()


def test_seeds_are_one_int_or_one_an_image():
    assert inputs.normalize_seeds(np.int64(3), 2) == [(3, 0), (3, 1)]
    for seeds in ([5, 6], range(5, 7), np.array([5, 6])):
        assert inputs.normalize_seeds(seeds, 2) == [(5, 0), (6, 0)]
    for wrong in (np.array(3), np.array(3.5), "33", None, -1, [5], [5, -1]):
        with pytest.raises(ValueError, match="Received: "):
            inputs.normalize_seeds(wrong, 2)
