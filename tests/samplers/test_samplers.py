"""Each sampler against its rule written out in NumPy, and what all share."""

from itertools import pairwise

import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate, GaussianPosteriorMean
from helpers import smooth_images, to_numpy, walk

import keras_indi
from keras_indi import process, samplers
from keras_indi.models import InDI
from keras_indi.schedules import (
    BrownianNoise,
    ConstantNoise,
    ExplicitGrid,
    NoiseSchedule,
    PowerGrid,
    UniformGrid,
)

GRIDS = [
    UniformGrid()(7),
    PowerGrid(3.0)(9),
    ExplicitGrid([1.0, 0.97, 0.4, 0.35, 0.02, 0.0])(5),
    np.array([1.0, 0.0]),
]


class Nonlinear(keras.layers.Layer):
    """An arbitrary estimate, nonlinear in x_t and t."""

    def call(self, inputs):
        times = keras.ops.reshape(inputs["times"], (-1, 1, 1, 1))
        return nonlinear(inputs["images"], times)


def nonlinear(images, times):
    """A sigmoid of operators alone, for NumPy arrays and tensors alike."""
    x = 1.7 * images - times
    return 0.3 + x * (1.0 + x * x) ** -0.5 * (0.6 + 0.3 * times * times)


def indi(y, times):
    x = y
    for t, s in pairwise(times):
        x = (1 - s / t) * nonlinear(x, t) + (s / t) * x
    return x


def naive(y, times):
    x = y
    for t, s in pairwise(times):
        x = (1 - s) * nonlinear(x, t) + s * y
    return x


def cold_diffusion(y, times):
    def degrade(clean, t):
        return (1 - t) * clean + t * y

    x = y
    for t, s in pairwise(times):
        clean = nonlinear(x, t)
        x = x - degrade(clean, t) + degrade(clean, s)
    return x


def heun(y, times):
    x = y
    for t, s in pairwise(times):
        slope = (x - nonlinear(x, t)) / t
        ahead = x + (s - t) * slope
        if s == 0:
            return ahead
        x = x + (s - t) * 0.5 * (slope + (ahead - nonlinear(ahead, s)) / s)


def multistep(y, times):
    """Integrates the line through the last two slopes exactly over the step."""
    x, slopes = y, []
    for t, s in pairwise(times):
        slopes.append((t, (x - nonlinear(x, t)) / t))
        if len(slopes) == 1:
            x = x + (s - t) * slopes[0][1]
            continue
        (t0, d0), (t1, d1) = slopes[-2:]
        gradient = (d1 - d0) / (t1 - t0)
        x = x + (s - t) * d1 + gradient * (s - t) ** 2 / 2
    return x


def dpm_solver(y, times):
    """Algorithm 2 of DPM-Solver++ in its own symbols: alpha = 1, sigma = t."""
    x, previous = y, None
    for t, s in pairwise(times):
        data = nonlinear(x, t)
        if s == 0:
            return data
        h = -np.log(s) + np.log(t)
        if previous is None:
            d = data
        else:
            t_before, data_before = previous
            r = (-np.log(t) + np.log(t_before)) / h
            d = (1 + 1 / (2 * r)) * data - 1 / (2 * r) * data_before
        x = (s / t) * x - np.expm1(-h) * d
        previous = t, data


REFERENCES = {
    "indi": indi,
    "naive": naive,
    "cold_diffusion": cold_diffusion,
    "heun": heun,
    "multistep": multistep,
    "dpm_solver": dpm_solver,
}
each = pytest.mark.parametrize("name", sorted(samplers.BUILTIN))


def test_every_sampler_has_a_reference():
    assert sorted(REFERENCES) == sorted(samplers.BUILTIN)


@each
def test_a_whole_restoration_is_the_rule_written_out(name):
    degraded = smooth_images(2, 5, 4, high=1.0)
    model = InDI(Nonlinear(), value_range=None)
    for times in GRIDS:
        found = model.restore(degraded, sampler=name, time_grid=list(times))
        expected = REFERENCES[name](degraded.astype("float64"), times)
        np.testing.assert_allclose(found, expected, atol=2e-5)
        # And once more in float64, where no rounding hides a difference.
        found = walk(samplers.get(name), nonlinear, degraded, times)
        np.testing.assert_allclose(found, expected, atol=1e-12)


def test_the_samplers_differ():
    degraded = smooth_images(2, 5, 4, high=1.0)
    model = InDI(Nonlinear(), value_range=None)
    results = [
        model.restore(degraded, num_steps=4, sampler=name) for name in REFERENCES
    ]
    for index, result in enumerate(results):
        for other in results[:index]:
            assert np.abs(result - other).max() > 1e-3


@each
@pytest.mark.parametrize("num_steps", [1, 2, 7])
def test_evaluations_are_counted_rightly(name, num_steps):
    calls = []

    def predict(images, times):
        calls.append(float(to_numpy(times)))
        return 0.5 * images

    sampler = samplers.get(name)
    walk(sampler, predict, np.ones((1, 2, 2, 1)), UniformGrid()(num_steps))
    assert len(calls) == sampler.evaluations(num_steps)
    assert len(calls) == (2 * num_steps - 1 if name == "heun" else num_steps)
    assert min(calls) > 0  # F is not defined at t = 0


# === Noise ===


@keras.saving.register_keras_serializable(package="tests")
class SteppedNoise(NoiseSchedule):
    """eps_t = 0.2 below t = 1/2 and 0.1 above."""

    def level(self, times):
        return keras.ops.where(times < 0.5, 0.2, 0.1)


def noise_deviation(states, times, value):
    """The deviation of each state's pixels from the path's noiseless point."""
    clean = [(1 - t) * value + t * 3.0 for t in times]
    return [
        np.sqrt(np.mean((state - point) ** 2)) for state, point in zip(states, clean)
    ]


@pytest.mark.parametrize(
    "name, schedule",
    [
        *((name, ConstantNoise(0.3)) for name in ("indi", "naive")),
        *((name, BrownianNoise(0.3)) for name in ("indi", "naive")),
        *((name, SteppedNoise()) for name in ("indi", "naive")),
    ],
    ids=str,
)
def test_the_states_noise_has_the_paths_variance(name, schedule):
    # F is the true clean image, 1, so that the state at t is the path's point
    # between it and y = 3, and the path's noise.
    model = InDI(ConstantEstimate(1.0), noise_schedule=schedule, value_range=None)
    degraded = np.full((16, 25, 1), 3.0, "float32")
    times = PowerGrid(2.0)(6)
    states = model.restore(
        degraded,
        sampler=name,
        time_grid=list(times),
        num_samples=50,
        seed=1,
        return_trajectory=True,
    )
    count = states[0].size  # 20000
    expected = to_numpy(schedule.scale(times.astype("float32")))
    found = noise_deviation(states, times, 1.0)
    # A standard deviation's own standard error is 1 / sqrt(2 n) of it.
    np.testing.assert_allclose(found, expected, rtol=4 / np.sqrt(2 * count), atol=1e-6)
    assert found[-1] < 1e-6 < 0.05 < found[0]


def test_the_noise_is_that_of_images_from_minus_1_to_1():
    degraded = np.full((50, 50, 1), 128, "uint8")
    for value_range, image in [((0, 255), degraded), ((0, 1), degraded / 255)]:
        model = InDI(
            ConstantEstimate(0.0), noise_schedule=0.02, value_range=value_range
        )
        states = model.restore(image, num_steps=1, seed=0, return_trajectory=True)
        deviation = np.std(states[0]) / (value_range[1] / 2)
        assert deviation == pytest.approx(0.02, rel=4 / np.sqrt(2 * degraded.size))


@pytest.mark.parametrize("name", ["indi", "naive"])
def test_any_schedule_suits(name):
    model = InDI(ConstantEstimate(), noise_schedule="brownian", value_range=None)
    restored = model.restore(np.ones((3, 3, 1), "float32"), sampler=name)
    np.testing.assert_array_equal(restored, 0)


@pytest.mark.parametrize("name", ["cold_diffusion", "heun", "multistep", "dpm_solver"])
def test_constant_noise_is_demanded_where_the_rule_needs_it(name):
    image = np.ones((3, 3, 1), "float32")
    noisy = InDI(ConstantEstimate(), noise_schedule="brownian", value_range=None)
    with pytest.raises(ValueError, match="Received: noise_schedule=BrownianNoise"):
        noisy.restore(image, sampler=name)
    constant = InDI(ConstantEstimate(), noise_schedule=0.1, value_range=None)
    states = constant.restore(image, sampler=name, seed=0, return_trajectory=True)
    assert np.std(states[0]) > 0.05


# === A sampler of one's own ===


@keras.saving.register_keras_serializable(package="tests")
class DampedSampler(keras_indi.samplers.Sampler):
    """The InDI step towards an estimate mixed with the last one."""

    def __init__(self, damping=0.5):
        self.damping = damping

    def initial_memory(self, images):
        return images

    def step(self, predict, images, times, next_times, memory):
        estimate = predict(images, times)
        mixed = (1 - self.damping) * estimate + self.damping * memory
        return process.update(images, mixed, times, next_times), estimate


def test_a_sampler_of_ones_own_as_object_name_and_config():
    problem = GaussianPosteriorMean(0.2, 1.0, 0.7)
    model = InDI(problem, value_range=None)
    degraded = smooth_images(1, 4, 4, high=1.0)[0]
    x, last = degraded, degraded
    for t, s in pairwise(UniformGrid()(4)):
        estimate = problem.estimate(x, t)
        x = (1 - s / t) * (0.5 * estimate + 0.5 * last) + s / t * x
        last = estimate
    for sampler in (
        DampedSampler(),
        "tests>DampedSampler",
        keras.saving.serialize_keras_object(DampedSampler(0.5)),
    ):
        found = model.restore(degraded, num_steps=4, sampler=sampler)
        np.testing.assert_allclose(found, x, atol=1e-5)
    undamped = model.restore(degraded, num_steps=4, sampler=DampedSampler(0.0))
    np.testing.assert_array_equal(undamped, model.restore(degraded, num_steps=4))


@pytest.mark.parametrize("wrong", ["euler", 3, "tests>GaussianPosteriorMean"])
def test_wrong_samplers_are_refused(wrong):
    model = InDI(ConstantEstimate(), value_range=None)
    with pytest.raises((ValueError, TypeError), match="Received: sampler="):
        model.restore(np.ones((3, 3, 1), "float32"), sampler=wrong)
