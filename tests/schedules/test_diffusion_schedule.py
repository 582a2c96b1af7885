"""a(t) of denoising diffusion, against the tables that the papers define."""

import keras
import numpy as np
import pytest
from helpers import to_numpy
from keras import ops

from keras_indi.schedules import (
    ContinuousDiffusion,
    CosineDiffusion,
    DiffusionSchedule,
    LinearDiffusion,
    UniformTime,
)
from keras_indi.schedules import diffusion_schedule as diffusion_schedules


def signal_scale(schedule, times):
    times = ops.convert_to_tensor(np.asarray(times, "float32"))
    return to_numpy(schedule.signal_scale(times))


STEPS = np.arange(1001) / 1000


def test_linear_is_the_table_of_ho():
    alpha_bar, expected = 1.0, [1.0]
    for step in range(1000):
        alpha_bar *= 1 - (1e-4 + step / 999 * (0.02 - 1e-4))
        expected.append(alpha_bar)
    found = signal_scale(LinearDiffusion(), STEPS) ** 2
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=1e-8)
    # What the article states of its end: next to nothing of the image is left.
    assert found[-1] == pytest.approx(4e-5, rel=0.02)


def test_cosine_is_equation_17():
    scale = np.cos((STEPS + 0.008) / 1.008 * np.pi / 2) ** 2
    found = signal_scale(CosineDiffusion(), STEPS) ** 2
    np.testing.assert_allclose(found[:-1], (scale / scale[0])[:-1], rtol=1e-3)
    # The last step replaces 0.999 of the variance, not all of it.
    assert found[-1] / found[-2] == pytest.approx(0.001, rel=1e-3)


def test_continuous_is_the_solution_of_its_equation():
    # da^2/dt = -beta(t) a^2, by small steps.
    times = np.linspace(0, 1, 20001)
    rates = 0.1 + (20 - 0.1) * (times[:-1] + times[1:]) / 2
    expected = np.exp(-np.concatenate([[0], np.cumsum(rates)]) / 20000)
    found = signal_scale(ContinuousDiffusion(), times) ** 2
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_continuous_is_the_limit_of_linear():
    fine = LinearDiffusion(1e-5, 2e-3, num_steps=10000)
    limit = ContinuousDiffusion(0.1, 20.0)
    np.testing.assert_allclose(
        signal_scale(fine, STEPS), signal_scale(limit, STEPS), atol=2e-3
    )


def test_training_draws_what_sr3_draws():
    """A step drawn uniformly, then a uniformly between its neighbours."""
    schedule = LinearDiffusion(0.02, 0.3, num_steps=10)
    table = signal_scale(schedule, np.arange(11) / 10).astype("float64")
    times = UniformTime().sample((100000,), seed=0)
    found = np.sort(to_numpy(schedule.signal_scale(times)))
    rng = np.random.default_rng(1)
    step = rng.integers(1, 11, 100000)
    expected = np.sort(rng.uniform(table[step], table[step - 1]))
    np.testing.assert_allclose(found, expected, atol=0.01)


@pytest.mark.parametrize("name", diffusion_schedules.BUILTIN)
def test_noise_level_rises_from_0(name):
    schedule = diffusion_schedules.get(name)
    times = ops.convert_to_tensor(np.linspace(0, 1, 1501, dtype="float32"))
    levels = to_numpy(schedule.noise_level(times))
    assert levels[0] == 0 and 0.98 < levels[-1] < 1
    assert np.all(np.diff(levels) > 0)
    np.testing.assert_allclose(
        np.cos(np.pi / 2 * levels.astype("float64")),
        to_numpy(schedule.signal_scale(times)),
        atol=1e-6,
    )


class Rounded(DiffusionSchedule):
    """It begins at the float32 after 1, as a quotient of cosines may."""

    def signal_scale(self, times):
        return np.float32(1.0000001) * ops.exp(-4 * ops.cast(times, "float32"))


def test_rounding_above_1_is_no_noise():
    schedule = diffusion_schedules.get(Rounded())
    levels = to_numpy(schedule.noise_level(np.float32([0, 1e-9, 1e-3])))
    np.testing.assert_array_equal(levels[:2], 0)
    assert 0 < levels[2] < 0.1


@pytest.mark.parametrize(
    "schedule",
    [LinearDiffusion(1e-3, 0.1, 100), CosineDiffusion(0.01), ContinuousDiffusion(1, 5)],
    ids=repr,
)
def test_config(schedule):
    config = keras.saving.serialize_keras_object(schedule)
    assert diffusion_schedules.get(config) == schedule


class Rising(DiffusionSchedule):
    def signal_scale(self, times):
        return times


class Flat(DiffusionSchedule):
    def signal_scale(self, times):
        return ops.ones_like(times)


class Gone(DiffusionSchedule):
    def signal_scale(self, times):
        return 1.0 - times


@pytest.mark.parametrize(
    "schedule, problem",
    [(Rising(), "a.0. is 0"), (Flat(), "does not fall"), (Gone(), "a.1. is 0")],
)
def test_bad_schedules_are_refused(schedule, problem):
    with pytest.raises(ValueError, match=problem):
        diffusion_schedules.get(schedule)


@pytest.mark.parametrize(
    "make, name",
    [
        (lambda: LinearDiffusion(0.0), "first_beta=0.0"),
        (lambda: LinearDiffusion(num_steps=0), "num_steps=0"),
        (lambda: CosineDiffusion(-1), "offset=-1"),
        (lambda: ContinuousDiffusion(0), "first_rate=0"),
        (lambda: diffusion_schedules.get("quadratic"), "noise_schedule='quadratic'"),
        (lambda: diffusion_schedules.get(0.1), "noise_schedule=0.1"),
    ],
)
def test_bad_arguments_are_refused(make, name):
    with pytest.raises(ValueError, match=f"Received: .*{name}"):
        make()
