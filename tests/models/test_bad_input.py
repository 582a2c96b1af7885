"""What does not suit the model is refused before any work, and the message tells."""

import keras
import numpy as np
import pytest
from helpers import pairs, tiny_unet

from keras_indi.models import InDI, UNetBackbone
from keras_indi.schedules import ConstantNoise, ExplicitGrid, NoiseSchedule


@pytest.fixture(scope="module")
def model():
    model = InDI(tiny_unet(), seed=0)
    model.compile()
    return model


GOOD = np.full((8, 8, 3), 100, "uint8")
NOT_A_NUMBER = np.full((8, 8, 3), np.nan, "float32")


@pytest.mark.parametrize(
    "images, message",
    [
        (GOOD[..., 0], r"shape \(8, 8\)"),
        (GOOD[None, None], r"shape \(1, 1, 8, 8, 3\)"),
        (GOOD[..., :1], r"3 channel.*shape \(8, 8, 1\)"),
        (GOOD[:0], r"empty.*shape \(0, 8, 3\)"),
        (np.zeros((0, 8, 8, 3), "uint8"), r"empty.*shape \(0, 8, 8, 3\)"),
        ([], "empty"),
        ([GOOD[None]], r"list.*shape \(1, 8, 8, 3\)"),
        ([GOOD, NOT_A_NUMBER], r"images\[1\].*192 values NaN"),
        (NOT_A_NUMBER, "finite.*192 values NaN"),
        (GOOD + 300.0, r"value_range=\(0.0, 255.0\).*from 400 to 400"),
        (GOOD - 200.0, r"value_range=\(0.0, 255.0\).*from -100 to -100"),
        (GOOD > 0, "dtype bool"),
    ],
)
def test_images_that_do_not_suit(model, images, message):
    with pytest.raises(ValueError, match="(?s)" + message) as error:
        model.restore(images)
    assert "Received: " in str(error.value)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_steps": 0}, "num_steps=0"),
        ({"num_steps": 2.5}, "num_steps=2.5"),
        ({"num_steps": 3, "time_grid": [1.0, 0.5, 0.0]}, "num_steps=3"),
        ({"time_grid": [0.9, 0.5, 0.0]}, r"time_grid=\[0.9, 0.5, 0.0\]"),
        ({"time_grid": [1.0, 0.5, 0.5, 0.0]}, "time_grid="),
        ({"time_grid": [1.0, 0.5]}, "time_grid="),
        ({"time_grid": "linear"}, "time_grid='linear'"),
        ({"sampler": "euler"}, r"'heun'.*sampler='euler'"),
        ({"time_shift": 0}, "above 0.*time_shift=0"),
        ({"time_shift": -1.5}, "time_shift=-1.5"),
        ({"time_shift": np.nan}, "finite.*time_shift=nan"),
        ({"time_shift": np.inf}, "time_shift=inf"),
        ({"time_shift": "1.5"}, "time_shift='1.5'"),
        ({"num_samples": 0}, "num_samples=0"),
        ({"batch_size": -1}, "batch_size=-1"),
        ({"seed": "a"}, "seed='a'"),
        ({"seed": -1}, "seed=-1"),
        ({"tile_size": 3}, "tile_size=3"),
        ({"tile_size": 8}, "larger than.*tile_size=8"),
        ({"verbose": 7}, "verbose=7"),
    ],
)
def test_arguments_of_restore_that_do_not_suit(model, arguments, message):
    with pytest.raises(ValueError, match="(?s)" + message) as error:
        model.restore(GOOD, **arguments)
    assert "Received: " in str(error.value)


def test_integers_with_a_float_range():
    model = InDI(tiny_unet(), value_range=(0, 1))
    with pytest.raises(ValueError, match=r"dtype uint8, value_range=\(0.0, 1.0\)"):
        model.restore(GOOD)
    model.compile()
    with pytest.raises(ValueError, match="degraded.*dtype uint8"):
        model.fit(GOOD[None], GOOD[None])


class Rising(NoiseSchedule):
    def level(self, times):
        return 0.1 * times


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"noise_schedule": Rising()}, "rises from.*to 0.1"),
        ({"noise_schedule": -0.1}, "eps=-0.1"),
        ({"noise_schedule": "pink"}, "noise_schedule='pink'"),
        ({"time_distribution": "normal"}, "time_distribution='normal'"),
        ({"own_states": 1.1}, "own_states=1.1"),
        ({"own_states": -0.1}, "own_states=-0.1"),
        ({"own_states": float("nan")}, "own_states=nan"),
        ({"own_states": True}, "own_states=True"),
        ({"own_states": "all"}, "own_states='all'"),
        ({"value_range": (1, 0)}, r"value_range=\(1, 0\)"),
        ({"value_range": 255}, "value_range=255"),
        ({"backbone": "unet"}, "backbone='unet'"),
    ],
)
def test_arguments_of_the_model_that_do_not_suit(arguments, message):
    arguments = {"backbone": tiny_unet(), **arguments}
    with pytest.raises(ValueError, match="(?s)Received: .*" + message):
        InDI(**arguments)


def test_a_backbone_of_another_output_shape():
    images = keras.Input((None, None, 3), name="images")
    times = keras.Input((), name="times")
    halved = keras.layers.AveragePooling2D(2)(images)
    model = InDI(keras.Model({"images": images, "times": times}, halved))
    model.compile()
    for use in (
        lambda: model.predict(GOOD[None], verbose=0),
        lambda: model.restore(GOOD),
        lambda: model.fit(GOOD[None], GOOD[None], verbose=0),
    ):
        with pytest.raises(ValueError, match=r"Received: output of shape \(\w+, 4, 4"):
            use()


def weights_of(model):
    return [keras.ops.convert_to_numpy(weight) for weight in model.weights]


@pytest.mark.parametrize(
    "degraded, clean, message",
    [
        (GOOD[None], GOOD[None, :4], r"same shape.*\(1, 8, 8, 3\).*\(1, 4, 8, 3\)"),
        (GOOD, GOOD, r"batches.*shape \(8, 8, 3\)"),
        (GOOD[None, ..., :1], GOOD[None, ..., :1], "3 channel"),
        (GOOD[None, :7], GOOD[None, :7], r"multiples of 2.*shape \(\w+, 7, 8, 3\)"),
        (GOOD[:0][None], GOOD[:0][None], "empty"),
        (NOT_A_NUMBER[None], GOOD[None], "degraded.*finite"),
        (GOOD[None], NOT_A_NUMBER[None], "clean.*finite"),
        (GOOD[None], GOOD[None] + 300.0, "clean.*value_range"),
        (GOOD[None], None, "pairs"),
    ],
)
def test_pairs_that_do_not_suit(model, degraded, clean, message):
    before = weights_of(model)
    with pytest.raises(ValueError, match="(?s)" + message) as error:
        model.fit(degraded, clean, verbose=0)
    assert "Received: " in str(error.value)
    for old, new in zip(before, weights_of(model)):
        np.testing.assert_array_equal(old, new)


class Source(keras.utils.PyDataset):
    def __init__(self, batch):
        super().__init__()
        self.batch = batch

    def __len__(self):
        return 2

    def __getitem__(self, index):
        return self.batch


def test_a_data_sources_first_batch_is_checked(model):
    with pytest.raises(ValueError, match="degraded.*finite"):
        model.fit(Source((NOT_A_NUMBER[None], GOOD[None])), verbose=0)
    with pytest.raises(ValueError, match="pairs"):
        model.fit(Source((GOOD[None],)), verbose=0)


def test_validation_pairs_are_checked_before_training(model):
    degraded, clean = pairs(2, height=8, width=8)
    for validation_data in (
        (NOT_A_NUMBER[None], GOOD[None]),
        Source((NOT_A_NUMBER[None], GOOD[None])),
    ):
        with pytest.raises(ValueError, match="degraded.*finite"):
            model.fit(degraded, clean, validation_data=validation_data, verbose=0)


@pytest.mark.parametrize(
    "arguments",
    [
        {"image_channels": 0},
        {"base_channels": 1.5},
        {"blocks_per_level": 0},
        {"channel_multipliers": ()},
        {"channel_multipliers": (1, 0)},
    ],
)
def test_arguments_of_the_backbone_that_do_not_suit(arguments):
    with pytest.raises(ValueError, match="Received: "):
        UNetBackbone(**arguments)


def test_names_and_objects_are_the_same():
    points = [1.0, 0.25, 0.0]
    assert ExplicitGrid(points) == ExplicitGrid(tuple(points))
    assert InDI(tiny_unet(), noise_schedule=0.1).noise_schedule == ConstantNoise(0.1)
