"""What holds for every degradation, and what the base class refuses."""

import json
import multiprocessing
import pickle
import sys

import keras
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_indi.data import degradations
from keras_indi.data.degradations import (
    Compose,
    DefocusBlur,
    Degradation,
    Downsample,
    FrameAverage,
    GaussianBlur,
    GaussianNoise,
    JPEGCompression,
    MotionBlur,
    PoissonGaussianNoise,
    PureNoise,
    Quantization,
    RandomChoice,
)

pytestmark = pytest.mark.backend_free

FIXED = [
    JPEGCompression(20),
    Downsample(2),
    Downsample(3, "area", linear_light=True),
    Downsample(4, "bilinear"),
    Downsample(2, "nearest"),
    Downsample(2, degradation=GaussianBlur(0.8)),
    GaussianBlur(1.3, linear_light=True),
    DefocusBlur(2.2),
    MotionBlur(7.5, angle=30.0),
    Quantization(4),
]
RANDOM = [
    GaussianNoise(25),
    GaussianNoise((5, 50)),
    GaussianNoise(25, correlation=(0, 1.5)),
    GaussianNoise(25, correlation=0.7, monochromatic=True),
    PoissonGaussianNoise(),
    PoissonGaussianNoise(100, 3, linear_light=True),
    PoissonGaussianNoise(100, 3, linear_light=True, correlation=0.8),
    PoissonGaussianNoise(100, 3, monochromatic=True),
    JPEGCompression((5, 60), subsampling="4:4:4"),
    JPEGCompression(20, random_grid=True),
    GaussianBlur((0.0, 2.0)),
    DefocusBlur((0.0, 3.0), linear_light=True),
    MotionBlur((3, 9)),
    MotionBlur((3, 9), angle=(-90, 90), linear_light=True),
    PureNoise(),
    Downsample(2, degradation=JPEGCompression((20, 60), random_grid=True)),
    Compose([GaussianBlur(0.7), Downsample(2), GaussianNoise(5), JPEGCompression()]),
    RandomChoice([GaussianNoise(9), MotionBlur(5)], probabilities=[1, 3]),
]
EVERY = [*FIXED, *RANDOM]


def is_group(item):
    inner = getattr(item, "degradation", None)
    return isinstance(item, (Compose, RandomChoice)) or inner is not None


SINGLE = [item for item in EVERY if not is_group(item)]
# Those whose result on a crop with margin is the crop of the whole's.
LOCAL = [
    *(item for item in SINGLE if item.margin),
    Downsample(1),
    Downsample(2, degradation=GaussianBlur(0.8)),
    RandomChoice([DefocusBlur(2.5), Downsample(3)]),
    Compose([MotionBlur((3, 6)), Downsample(2, "area"), GaussianBlur(0.6)]),
]
each = pytest.mark.parametrize("item", EVERY, ids=repr)


def image_of(height=21, width=18, channels=3, dtype="uint8", seed=0):
    values = np.random.default_rng(seed).random((height, width, channels))
    scale = {"uint8": 255, "uint16": 65535}.get(dtype)
    return (np.rint(values * scale) if scale else values).astype(dtype)


@each
def test_every_degradation_survives_its_config(item):
    assert type(item).from_config(json.loads(json.dumps(item.get_config()))) == item
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(item)))
    again = keras.saving.deserialize_keras_object(serialized)
    assert again == item and hash(again) == hash(item)
    assert degradations.get(serialized) == item
    assert pickle.loads(pickle.dumps(item)) == item
    image = image_of()
    np.testing.assert_array_equal(again(image, seed=3), item(image, seed=3))


@each
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float16", "float32", "float64"])
def test_shape_and_dtype_stay_and_the_input_too(item, dtype):
    image = image_of(dtype=dtype)
    image.setflags(write=False)
    before = image.copy()
    degraded = item(image, seed=0)
    assert degraded.shape == image.shape and degraded.dtype == image.dtype
    assert not np.array_equal(degraded, image)
    assert np.all(np.isfinite(degraded.astype("float64")))
    np.testing.assert_array_equal(image, before)


@each
@settings(max_examples=8)
@given(height=st.integers(1, 20), width=st.integers(1, 20), channels=st.integers(1, 7))
def test_any_size_and_number_of_channels(item, height, width, channels):
    image = image_of(height, width, channels)
    degraded = item(image, seed=1)
    assert degraded.shape == image.shape and degraded.dtype == image.dtype
    if item in FIXED and not isinstance(item, JPEGCompression):
        # Each channel is degraded as if it were alone.
        alone = item(image[..., -1:], seed=1)
        np.testing.assert_array_equal(alone[..., 0], degraded[..., -1])


@each
def test_the_seed_decides(item):
    image = image_of(32, 32, dtype="float32")
    degraded = item(image, seed=5)
    np.testing.assert_array_equal(item(image, seed=5), degraded)
    np.testing.assert_array_equal(item(image, np.random.default_rng(5)), degraded)
    np.testing.assert_array_equal(item(image, [5, 1]), item(image, np.array([5, 1])))
    others = [item(image, seed=(5, element)) for element in range(6)]
    if item in RANDOM:
        assert not all(np.array_equal(other, degraded) for other in others)
        generator = np.random.default_rng(5)
        draws = [item(image, generator) for _ in range(6)]
        assert not all(np.array_equal(draw, draws[0]) for draw in draws)
    else:
        assert all(np.array_equal(other, degraded) for other in others)


@pytest.mark.parametrize("item", SINGLE, ids=repr)
def test_the_dtypes_agree(item):
    """One image in three dtypes and in a range of its own gives one result."""
    image = image_of(16, 16)
    expected = item(image / np.float32(255), seed=2)
    # Integers are rounded; small images of integers once more, when they are made.
    steps = 1.01 if isinstance(item, Downsample) else 0.51
    found = item(image, seed=2) / 255
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=steps / 255)
    found = item(image.astype("uint16") * 257, seed=2) / 65535
    np.testing.assert_allclose(found, np.clip(expected, 0, 1), atol=steps / 65535)
    signed = image / np.float32(127.5) - 1
    found = item(signed, seed=2, value_range=(-1, 1))
    np.testing.assert_allclose((found + 1) / 2, expected, atol=1e-5)


@pytest.mark.parametrize("item", LOCAL, ids=repr)
@settings(max_examples=8)
@given(data=st.data())
def test_a_crop_with_margin_is_the_crop_of_the_whole(item, data):
    multiple = item.size_multiple
    whole = image_of(4 * multiple + 24 // multiple * multiple, 60, dtype="float32")
    whole = whole[:, : 60 // multiple * multiple]
    spans = []
    for size in whole.shape[:2]:
        start = data.draw(st.integers(0, size // multiple - 1)) * multiple
        stop = data.draw(st.integers(start // multiple + 1, size // multiple))
        spans.append((start, stop * multiple, size))
    wide = tuple(
        slice(max(start - item.margin, 0), min(stop + item.margin, size))
        for start, stop, size in spans
    )
    trimmed = tuple(
        slice(start - cut.start, stop - cut.start)
        for cut, (start, stop, _) in zip(wide, spans)
    )
    expected = item(whole, seed=7)[tuple(slice(*span[:2]) for span in spans)]
    found = item(whole[wide], seed=7)[trimmed]
    np.testing.assert_allclose(found, expected, atol=2e-5)


@pytest.mark.parametrize("item", [item for item in LOCAL if item.margin], ids=repr)
def test_the_margin_is_not_wasted(item):
    """What changes at the margin's distance, less a pattern, changes the result."""
    multiple = item.size_multiple
    middle = 2 * (item.margin // multiple + 1) * multiple
    grey = np.full((2 * middle, 2 * middle, 1), 0.5, "float32")
    changed = grey.copy()
    changed[middle : middle + multiple, middle : middle + multiple] = 1.0
    farthest = 0
    for seed in range(200):  # comes near to the largest of a range
        rows, columns, _ = np.nonzero(np.abs(item(changed, seed) - 0.5) > 1e-6)
        farthest = max(farthest, rows.max() - middle, columns.max() - middle)
    # The crop with the farthest pixel in it begins on a multiple.
    distance = farthest // multiple * multiple
    assert item.margin - multiple - 1 <= distance <= item.margin


def test_builtin_names():
    for name, degradation in degradations.BUILTIN.items():
        assert degradations.get(name) == degradation()
        assert getattr(degradations, degradation.__name__) is degradation
    assert degradations.get("keras_indi>GaussianNoise") == GaussianNoise()
    with pytest.raises(ValueError, match="Received: degradation='fog'"):
        degradations.get("fog")


@keras.saving.register_keras_serializable(package="tests")
class Fog(Degradation):
    def __init__(self, density=0.25):
        self.density = density

    def apply(self, image, generator):
        assert image.dtype == np.float32
        return (1 - self.density) * image + self.density


def test_one_of_your_own():
    image = image_of()
    expected = 0.75 * image + 0.25 * 255
    np.testing.assert_allclose(Fog()(image, seed=0), expected, atol=0.501)
    assert degradations.get("tests>Fog") == Fog()
    limited = Fog(2.0)(np.full((1, 1, 1), 300, "uint16"), 0, value_range=(0, 4095))
    assert limited.item() == 4095  # clipped to its range, not its dtype's


@pytest.mark.parametrize(
    "image, message",
    [
        (np.zeros((4, 4), "uint8"), r"shape \(4, 4\)"),
        (np.zeros((2, 4, 4, 3), "uint8"), r"shape \(2, 4, 4, 3\)"),
        (np.zeros((0, 4, 3), "uint8"), r"shape \(0, 4, 3\)"),
        (np.zeros((4, 4, 3), "int32"), "dtype int32"),
        (np.zeros((4, 4, 3), bool), "dtype bool"),
    ],
)
def test_wrong_images_are_named(image, message):
    with pytest.raises(ValueError, match=f"Received: image of .*{message}"):
        GaussianNoise()(image, seed=0)


@pytest.mark.parametrize("seed", [None, -1, "a", 0.5])
def test_wrong_seeds_are_named(seed):
    with pytest.raises(ValueError, match="Received: seed="):
        GaussianNoise()(image_of(), seed)


@pytest.mark.parametrize("value_range", [(1, 0), (0, np.inf), (0, 0)])
def test_wrong_ranges_are_named(value_range):
    with pytest.raises(ValueError, match="Received:.*value_range="):
        GaussianNoise()(image_of(dtype="float32"), 0, value_range)


@pytest.mark.parametrize("value_range", [(0, 1), (-1, 1), (0, 256)])
def test_integers_have_no_float_range(value_range):
    with pytest.raises(ValueError, match="Received:.*value_range="):
        GaussianNoise()(image_of(), 0, value_range)


@pytest.mark.parametrize(
    "build",
    [
        lambda: GaussianNoise(-1),
        lambda: GaussianNoise((5, 1)),
        lambda: GaussianNoise("25"),
        lambda: GaussianNoise((1, 2, 3)),
        lambda: GaussianNoise(25, correlation=-1),
        lambda: PoissonGaussianNoise(correlation=(2, 1)),
        lambda: GaussianNoise(monochromatic="yes"),
        lambda: PoissonGaussianNoise(monochromatic=1),
        lambda: PureNoise(float("nan")),
        lambda: PoissonGaussianNoise(white=0),
        lambda: PoissonGaussianNoise(read_noise=-1),
        lambda: JPEGCompression(0),
        lambda: JPEGCompression((10, 101)),
        lambda: JPEGCompression(10.5),
        lambda: JPEGCompression(subsampling="4:1:1"),
        lambda: Downsample(0),
        lambda: Downsample(1.5),
        lambda: Downsample(method="spline"),
        lambda: GaussianBlur(True),
        lambda: DefocusBlur(-0.1),
        lambda: MotionBlur(angle=(0, 400)),
        lambda: FrameAverage(0),
        lambda: Compose([]),
        lambda: Compose(GaussianNoise()),
        lambda: Compose([GaussianNoise(), FrameAverage()]),
        lambda: Compose([lambda image, seed: image]),
        lambda: RandomChoice([GaussianNoise()], [0.5, 0.5]),
        lambda: RandomChoice([GaussianNoise(), PureNoise()], [-1, 2]),
        lambda: RandomChoice([GaussianNoise(), PureNoise()], [0, 0]),
        lambda: RandomChoice([GaussianNoise(), Downsample(2, enlarge=False)]),
        lambda: RandomChoice([GaussianNoise(), FrameAverage()]),
    ],
)
def test_wrong_arguments_are_named(build):
    with pytest.raises(ValueError, match="Received: [a-z_]+="):
        build()


@pytest.mark.parametrize(
    "module, item", [("cv2", GaussianBlur()), ("PIL", JPEGCompression())]
)
def test_a_missing_library_is_told_with_the_command(monkeypatch, module, item):
    monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[data\]"$'):
        item(image_of(), seed=0)


@pytest.mark.slow
def test_worker_processes_give_the_same():
    image = image_of()
    items = [RANDOM[-2], RANDOM[-1], MotionBlur()]
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        for item in items:
            found = pool.apply(item, (image, 3))
            np.testing.assert_array_equal(found, item(image, 3))
