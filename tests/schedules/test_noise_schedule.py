import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import to_numpy

import keras_indi
from keras_indi.schedules import BrownianNoise, ConstantNoise, NoiseSchedule
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
        (LinearNoise(slope=-0.1), "rises"),
        (LinearNoise(slope=2.0), "falls to -"),
        (LinearNoise(eps=-1.0, slope=-1.0), "falls to -"),
        (LinearNoise(eps=float("nan")), "not finite"),
        (LinearNoise(eps=float("inf")), "not finite"),
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
