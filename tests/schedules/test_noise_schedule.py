import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import to_numpy

import keras_indi
from keras_indi.schedules import (
    BrownianNoise,
    ConstantNoise,
    NoiseSchedule,
    ScaledNoise,
)
from keras_indi.schedules import noise_schedule as noise_schedules

TIMES = np.array([0.0, 0.01, 0.25, 1.0], "float32")


@keras.saving.register_keras_serializable(package="tests")
class LinearNoise(NoiseSchedule):
    """eps_t = eps (1 - slope t)."""

    def __init__(self, eps=0.1, slope=0.5):
        self.eps = eps
        self.slope = slope

    def level(self, times):
        return self.eps * (1.0 - self.slope * times)


@pytest.mark.parametrize(
    "schedule, variance",
    [
        (ConstantNoise(0.3), TIMES**2 * 0.09),
        (BrownianNoise(0.3), TIMES * 0.09),
        (keras_indi.schedules.ScaledNoise(0.6, 0.5), TIMES**2 * 0.09),
        (LinearNoise(0.3), TIMES**2 * (0.3 * (1 - TIMES / 2)) ** 2),
    ],
    ids=repr,
)
def test_variance_is_the_square_of_t_times_the_level(schedule, variance):
    found = to_numpy(schedule.variance(TIMES))
    np.testing.assert_allclose(found, variance, rtol=1e-5)
    np.testing.assert_allclose(
        to_numpy(schedule.scale(TIMES)), np.sqrt(variance), rtol=1e-5
    )
    levels = np.broadcast_to(to_numpy(schedule.level(TIMES[1:])), 3)
    np.testing.assert_allclose(TIMES[1:] ** 2 * levels**2, variance[1:], rtol=1e-5)
    assert found[0] == 0


def noise_at_the_start(model):
    """What `restore` adds to a grey image at t = 1, in its values."""
    low, high = model.value_range or (-1.0, 1.0)
    image = np.full((100, 100, 3), 0.5 * (low + high), "float32")
    states = model.restore(image, 1, seed=0, return_trajectory=True, verbose=0)
    return states[0] - image


@pytest.mark.parametrize("schedule", [0.01, ConstantNoise(0.01), BrownianNoise(0.01)])
@pytest.mark.parametrize(
    "value_range, level", [((0, 255), 1.275), ((0, 1), 0.005), ((-1, 1), 0.01)]
)
def test_eps_counts_where_images_span_minus_one_to_one(schedule, value_range, level):
    model = keras_indi.InDI(
        ConstantEstimate(), noise_schedule=schedule, value_range=value_range
    )
    assert np.std(noise_at_the_start(model)) == pytest.approx(level, rel=0.02)


def test_without_a_range_eps_is_in_the_datas_units():
    model = keras_indi.InDI(ConstantEstimate(), noise_schedule=3.0, value_range=None)
    assert np.std(noise_at_the_start(model)) == pytest.approx(3.0, rel=0.02)


@pytest.mark.parametrize(
    "schedule", [ConstantNoise(0.01), BrownianNoise(0.01), LinearNoise(0.02)], ids=repr
)
@pytest.mark.parametrize("value_range, factor", [((0, 255), 2), (None, 1)])
def test_a_config_without_a_unit_keeps_its_noise(schedule, value_range, factor):
    model = keras_indi.InDI(
        ConstantEstimate(), noise_schedule=schedule, value_range=value_range
    )
    config = model.get_config()
    assert config["noise_unit"] == "paper"
    assert keras_indi.InDI.from_config(config).noise_schedule == schedule
    # Version 0.1: eps was a fraction of the range, of a width of 2 for the network.
    del config["noise_unit"]
    old = keras_indi.InDI.from_config(config)
    for loaded in (old, keras_indi.InDI.from_config(old.get_config())):
        np.testing.assert_array_equal(
            to_numpy(loaded.noise_schedule.scale(TIMES)),
            factor * to_numpy(schedule.scale(TIMES)),
        )
        np.testing.assert_allclose(
            noise_at_the_start(loaded), factor * noise_at_the_start(model), atol=3e-5
        )
    with pytest.raises(ValueError, match="noise_unit='range'"):
        keras_indi.InDI.from_config({**config, "noise_unit": "range"})


def test_a_scaled_schedule():
    scaled = keras_indi.schedules.ScaledNoise(BrownianNoise(0.5), 0.5)
    for method in ("scale", "level"):
        np.testing.assert_allclose(
            to_numpy(getattr(scaled, method)(TIMES[1:])),
            to_numpy(getattr(BrownianNoise(0.25), method)(TIMES[1:])),
            rtol=1e-6,
        )
    again = noise_schedules.get(keras.saving.serialize_keras_object(scaled))
    assert again == scaled and repr(again).endswith("factor=0.5)")


@keras.saving.register_keras_serializable(package="tests")
class PowerNoise(NoiseSchedule):
    """eps_t = eps / t^power."""

    def __init__(self, eps=0.1, power=1.0):
        self.eps = eps
        self.power = power

    def level(self, times):
        return self.eps / times**self.power


@keras.saving.register_keras_serializable(package="tests")
class BrownianBridge(NoiseSchedule):
    """v(t) = t (1 - t): no noise at either end."""

    def level(self, times):
        return ((1.0 - times) / times) ** 0.5


@pytest.mark.parametrize(
    "schedule",
    [*map(PowerNoise, [0.1] * 3, [0.0, 0.5, 0.9]), BrownianBridge()],
    ids=repr,
)
def test_noise_that_vanishes_at_zero_is_allowed(schedule):
    assert noise_schedules.get(schedule) is schedule


def test_constant_and_zero_are_told_apart():
    assert ConstantNoise(0.1).is_constant and not ConstantNoise(0.1).is_zero
    assert ConstantNoise(0.0).is_constant and ConstantNoise(0.0).is_zero
    assert not BrownianNoise(0.1).is_constant and not BrownianNoise(0.1).is_zero
    assert BrownianNoise(0.0).is_constant and BrownianNoise(0.0).is_zero
    assert LinearNoise(slope=0.0).is_constant
    assert not LinearNoise(slope=0.01).is_constant


@pytest.mark.parametrize(
    "schedule, problem",
    [
        (PowerNoise(power=1.0), "t eps_t is 0.1 next to t = 0, of 0.1 at most"),
        (PowerNoise(power=2.0), "t eps_t is inf"),
        (LinearNoise(slope=-0.1), "rises"),
        (LinearNoise(slope=2.0), "falls to -"),
        (LinearNoise(eps=-1.0, slope=-1.0), "falls to -"),
        (LinearNoise(eps=float("nan")), "not finite"),
        (LinearNoise(eps=float("inf")), "not finite"),
        # eps_t is a float32, and its square is not.
        (ConstantNoise(1e20), "t eps_t is too large"),
        (BrownianNoise(1e20), "t eps_t is too large"),
        (ScaledNoise(ConstantNoise(1e10), 1e10), "t eps_t is too large"),
    ],
    ids=repr,
)
def test_increasing_or_negative_levels_are_refused(schedule, problem):
    for refuse in (
        schedule.validate,
        lambda: noise_schedules.get(schedule),
        lambda: keras_indi.models.InDI(ConstantEstimate(), noise_schedule=schedule),
    ):
        with pytest.raises(ValueError, match=f"Received: noise_schedule=.*{problem}"):
            refuse()


@pytest.mark.parametrize("eps", [-0.1, float("nan"), float("inf"), "much", None])
@pytest.mark.parametrize("schedule", [ConstantNoise, BrownianNoise])
def test_bad_levels_are_refused(schedule, eps):
    with pytest.raises(ValueError, match="Received: eps="):
        schedule(eps)


def test_get_takes_numbers_names_objects_and_configs():
    assert noise_schedules.get(0) == ConstantNoise(0.0)
    assert noise_schedules.get(0.25) == ConstantNoise(0.25)
    assert noise_schedules.get(np.float32(0.25)) == ConstantNoise(0.25)
    assert noise_schedules.get("brownian") == BrownianNoise()
    assert noise_schedules.get("tests>LinearNoise") == LinearNoise()
    config = keras.saving.serialize_keras_object(BrownianNoise(0.5))
    assert noise_schedules.get(config) == BrownianNoise(0.5)
    for wrong in ("loud", None, keras_indi.schedules.UniformTime()):
        with pytest.raises(ValueError, match="Received: noise_schedule="):
            noise_schedules.get(wrong)
    with pytest.raises(ValueError, match="Received: eps=-1"):
        noise_schedules.get(-1)


def test_a_schedule_of_ones_own_is_saved_with_the_model(tmp_path):
    model = keras_indi.models.InDI(
        ConstantEstimate(), noise_schedule=LinearNoise(0.3), value_range=None
    )
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.noise_schedule == LinearNoise(0.3)
    image = np.zeros((6, 5, 1), "float32")
    states = model.restore(image, num_steps=2, seed=0, return_trajectory=True)
    assert np.std(states[0]) > 0.05  # eps_1 = 0.15
    np.testing.assert_array_equal(
        again.restore(image, num_steps=2, seed=0, return_trajectory=True), states
    )
