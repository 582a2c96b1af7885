"""Frame averages, against the formula in float64."""

import json

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_indi.data.degradations import Compose, FrameAverage, GaussianNoise

pytestmark = pytest.mark.backend_free


def clip_of(frames, height=6, width=5, channels=3):
    rng = np.random.default_rng(frames)
    return rng.integers(0, 256, (frames, height, width, channels)).astype("uint8")


@settings(max_examples=15)
@given(
    shape=st.tuples(*[st.integers(1, 9)] * 4),
    gamma=st.sampled_from([1.0, 2.2, 3.0]),
)
def test_equals_the_mean_of_light(shape, gamma):
    clip = clip_of(*shape)
    before = clip.copy()
    light = np.zeros(shape[1:])
    for frame in clip:
        light += (frame / 255) ** gamma
    expected = 255 * (light / len(clip)) ** (1 / gamma)
    found = FrameAverage(gamma)(clip, seed=0)
    assert found.dtype == np.uint8
    np.testing.assert_allclose(found, expected, atol=0.51)
    np.testing.assert_array_equal(clip, before)
    floats = FrameAverage(gamma)(clip / 255, seed=0)
    np.testing.assert_allclose(floats, expected / 255, atol=1e-5)


def test_a_still_clip_stays():
    still = np.repeat(clip_of(1), 7, axis=0)
    np.testing.assert_array_equal(FrameAverage()(still, seed=0), still[0])


def test_the_sharp_frame_is_where_the_blur_is():
    # A bright line moves one column a frame: the blur is centred on the middle's.
    clip = np.zeros((7, 3, 15, 1), "uint8")
    for frame in range(7):
        clip[frame, :, 4 + frame] = 255
    sharp = FrameAverage.sharp_frame(clip)
    np.testing.assert_array_equal(sharp, clip[3])
    blurred = FrameAverage()(clip, seed=0)
    columns = np.arange(15)
    centre = (blurred[0, :, 0] * columns).sum() / blurred[0, :, 0].sum()
    assert abs(centre - columns[sharp[0, :, 0] > 0].item()) < 1e-6
    np.testing.assert_allclose(
        blurred[0, 4:11, 0], 255 * (1 / 7) ** (1 / 2.2), atol=0.51
    )


def test_an_even_clip_has_no_middle():
    with pytest.raises(ValueError, match="Received: clip of 8 frames"):
        FrameAverage.sharp_frame(clip_of(8))
    with pytest.raises(ValueError, match=r"\(frames, height, width, channels\)"):
        FrameAverage()(clip_of(3)[0], seed=0)


def test_noise_may_follow_in_a_group():
    clip = clip_of(5)
    group = Compose([FrameAverage(), GaussianNoise(3)])
    found = group(clip / 255, seed=1)
    expected = GaussianNoise(3)(FrameAverage()(clip / 255, seed=1), seed=1)
    np.testing.assert_allclose(found, expected, atol=1e-6)
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(group)))
    assert keras.saving.deserialize_keras_object(serialized) == group
