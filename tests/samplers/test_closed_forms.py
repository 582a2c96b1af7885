"""The samplers against problems whose posterior mean and solution are known."""

import functools

import numpy as np
import pytest
from closed_forms import FOUR_MODES, DiscretePosteriorMean, GaussianPosteriorMean
from helpers import to_numpy, walk, x64
from keras import ops

from keras_indi.models import InDI
from keras_indi.samplers import BUILTIN
from keras_indi.schedules import PowerGrid, UniformGrid

CONVERGENT = ["indi", "heun", "multistep", "dpm_solver"]
RATIOS = [(1.0, 0.5), (1.0, 1.0), (1.0, 2.0), (0.2, 0.6)]
PRIOR_SCALES, NOISE_SCALES = np.transpose(RATIOS)[:, :, None, None, None]
IMAGE_MEAN = (10 * np.add.outer(np.arange(4.0), np.sin(np.arange(5.0))))[..., None]


def scalar_problem(prior_scale, noise_scale):
    """x ~ N(0.5, prior_scale^2), as images of one pixel; and some y."""
    problem = GaussianPosteriorMean(0.5, prior_scale, noise_scale)
    degraded = 0.5 + np.hypot(prior_scale, noise_scale) * np.linspace(-2, 2, 6)
    return problem, degraded.astype("float32")[:, None, None, None]


def image_problem(prior_scale, noise_scale):
    """x ~ N(c, prior_scale^2 I) with an image c; and some y."""
    problem = GaussianPosteriorMean(IMAGE_MEAN.tolist(), prior_scale, noise_scale)
    noise = np.random.default_rng(0).standard_normal((3, *IMAGE_MEAN.shape))
    degraded = IMAGE_MEAN + np.hypot(prior_scale, noise_scale) * noise
    return problem, degraded.astype("float32")


def all_ratios(problem, ratios=RATIOS):
    """A problem for several ratios at once, which are compiled once, and some y."""
    found, degraded = zip(*(problem(*scales) for scales in ratios))
    prior_scales, noise_scales = np.repeat(
        np.transpose(ratios)[..., None, None, None].astype("float32"),
        len(degraded[0]),
        axis=1,
    )
    problem = GaussianPosteriorMean(found[0].mean, prior_scales, noise_scales)
    return problem, np.concatenate(degraded)


problems = pytest.mark.parametrize("problem", [scalar_problem, image_problem])


def error(found, problem, degraded, ratios=1):
    """The worst distance from the flow's end, in units of the prior's scale.

    Of a problem of several ratios an array, the worst of each.
    """
    distance = np.abs(found - problem.flow_end(degraded)) / problem.prior_scale
    return np.max(distance.reshape(ratios, -1), axis=1)


def family(images, times):
    """F of `image_problem` for all `RATIOS` at once, one a row, in float64."""
    tensor = functools.partial(ops.convert_to_tensor, dtype="float64")
    prior, noise = tensor(PRIOR_SCALES**2), tensor(NOISE_SCALES**2) * times * times
    return (prior * images + noise * tensor(IMAGE_MEAN)) / (prior + noise)


def errors_in_float64(sampler, grid, num_steps):
    """The error of a sampler after a whole walk, for each of `RATIOS`."""
    noise = np.random.default_rng(0).standard_normal((len(RATIOS), *IMAGE_MEAN.shape))
    spread = np.hypot(PRIOR_SCALES, NOISE_SCALES)
    expected = IMAGE_MEAN + noise * PRIOR_SCALES
    found = walk(
        BUILTIN[sampler](), family, IMAGE_MEAN + noise * spread, grid(num_steps)
    )
    return np.max(np.abs(found - expected) / PRIOR_SCALES, axis=(1, 2, 3))


@pytest.mark.parametrize(
    "problem, scales", [(scalar_problem, (0.2, 0.6)), (image_problem, (1.0, 1.0))]
)
def test_restore_converges_to_the_end_of_the_flow(problem, scales):
    problem, degraded = problem(*scales)
    model = InDI(problem, value_range=None)
    # float32 holds a state to 6e-8 of its magnitude, and the steps add up.
    floor = 2e-6 * max(1.0, np.abs(degraded).max() / problem.prior_scale)
    # How much smaller the error is at 16 times as many steps.
    gains = {"indi": 12, "heun": 150, "multistep": 150, "dpm_solver": 4}
    for sampler, gain in gains.items():
        coarse, fine = (
            error(
                model.restore(degraded, num_steps=num_steps, sampler=sampler),
                problem,
                degraded,
            )
            for num_steps in (16, 256)
        )
        assert fine < coarse / gain + floor, sampler
        assert fine < (0.015 if sampler == "indi" else 0.0015) + floor, sampler


@problems
def test_one_step_is_the_mmse_estimate(problem):
    problem, degraded = all_ratios(problem, RATIOS[::3])
    weight = problem.prior_scale**2 / (problem.prior_scale**2 + problem.noise_scale**2)
    expected = problem.mean + weight * (degraded - np.asarray(problem.mean))
    model = InDI(problem, value_range=None)
    estimate = model.predict(degraded, verbose=0)
    for sampler in BUILTIN:
        restored = model.restore(degraded, num_steps=1, sampler=sampler)
        np.testing.assert_allclose(restored, expected, rtol=1e-6, atol=1e-5)
        np.testing.assert_allclose(restored, estimate, rtol=1e-6, atol=1e-5)


@pytest.mark.parametrize("sampler", ["indi", "naive", "heun", "dpm_solver"])
def test_one_step_is_the_estimate_to_the_last_bit(sampler):
    degraded = np.random.default_rng(0).normal(size=(len(RATIOS), 4, 5, 1))
    with x64():
        estimate = to_numpy(family(ops.convert_to_tensor(degraded, "float64"), 1.0))
    found = walk(BUILTIN[sampler](), family, degraded, [1.0, 0.0])
    np.testing.assert_array_equal(found, estimate)


@pytest.mark.parametrize("grid", [UniformGrid(), PowerGrid(2.0)], ids=repr)
@pytest.mark.parametrize("sampler, order", [("indi", 1), ("heun", 2), ("multistep", 2)])
def test_order_of_convergence(sampler, order, grid):
    # In float64: the second-order rules reach float32's floor at 256 steps.
    numbers = 2 ** np.arange(4, 9)
    found = [errors_in_float64(sampler, grid, number) for number in numbers]
    slopes = -np.polyfit(np.log(numbers), np.log(found), 1)[0]
    print(f"{sampler} on {grid}: orders {slopes.round(3)} for {RATIOS}")
    np.testing.assert_allclose(slopes, order, atol=0.15)


@pytest.mark.parametrize("sampler", CONVERGENT)
@pytest.mark.parametrize("grid", ["uniform", "power"])
def test_restore_takes_the_steps_that_converge(sampler, grid):
    # Ties the orders above, measured on the rules, to the model's `restore`.
    problem, degraded = scalar_problem(1.0, 1.0)
    model = InDI(problem, value_range=None)
    restored = model.restore(degraded, num_steps=16, sampler=sampler, time_grid=grid)
    times = {"uniform": UniformGrid(), "power": PowerGrid()}[grid](16)
    expected = walk(BUILTIN[sampler](), problem.estimate, degraded, times)
    np.testing.assert_allclose(restored, expected, atol=3e-6)


@pytest.mark.parametrize("sampler", CONVERGENT)
@problems
def test_the_exact_posterior_mean_needs_no_time_shift(problem, sampler):
    problem, degraded = all_ratios(problem)
    model = InDI(problem, value_range=None)
    errors = {
        shift: error(
            model.restore(degraded, 32, sampler, time_shift=shift),
            problem,
            degraded,
            len(RATIOS),
        )
        for shift in (0.7, 1.0, 1.5)
    }
    assert np.all(errors[1.0] < errors[0.7] / 5)
    assert np.all(errors[1.0] < errors[1.5] / 5)


@pytest.mark.parametrize("sampler", CONVERGENT)
def test_a_time_shift_below_one_starts_later(sampler):
    """Half the noise lies on the path of the whole noise, at t = 0.5."""
    half, degraded = scalar_problem(1.0, 1.0)
    whole, _ = scalar_problem(1.0, 2.0)
    later, expected = (
        InDI(problem, value_range=None).restore(
            degraded, 5, sampler, "cosine", time_shift=shift
        )
        for problem, shift in ((whole, 0.5), (half, 1.0))
    )
    np.testing.assert_allclose(later, expected, atol=1e-5)


def test_multistep_needs_half_the_evaluations_of_heun():
    assert BUILTIN["multistep"]().evaluations(8) == 8
    assert BUILTIN["heun"]().evaluations(8) == 15
    multistep = errors_in_float64("multistep", UniformGrid(), 8)
    assert np.all(multistep <= 1.05 * errors_in_float64("heun", UniformGrid(), 8))
    # Heun's four steps are seven calls.
    assert np.all(multistep < 0.5 * errors_in_float64("heun", UniformGrid(), 4))


@pytest.mark.parametrize("num_steps", [3, 4])
def test_dpm_solver_leads_at_few_steps_on_a_power_grid(num_steps):
    solver, multistep, indi = (
        errors_in_float64(sampler, PowerGrid(2.0), num_steps)
        for sampler in ("dpm_solver", "multistep", "indi")
    )
    assert np.all(solver < 0.7 * multistep)
    assert np.all(solver < 0.5 * indi)


@pytest.mark.parametrize("grid", [UniformGrid(), PowerGrid(2.0)], ids=repr)
def test_dpm_solver_converges_faster_than_indi(grid):
    solver = errors_in_float64("dpm_solver", grid, 256)
    assert np.all(solver < 0.1 * errors_in_float64("indi", grid, 256))
    assert np.all(solver < 1e-3)


def fraction_in_a_mode(points, modes):
    points = points.reshape(-1, 1, 2)
    distances = np.linalg.norm(points - np.asarray(modes), axis=-1)
    return np.mean(distances.min(axis=1) < 0.05)


@pytest.mark.parametrize("diagonal", [(1, 1), (1, 0)], ids=["identity", "projection"])
@pytest.mark.parametrize("sampler", ["indi", "heun"])
def test_iterates_run_into_one_mode_where_regression_averages(diagonal, sampler):
    problem = DiscretePosteriorMean(FOUR_MODES, diagonal, noise_scale=0.5)
    degraded, _ = problem.draw(2000, np.random.default_rng(0))
    model = InDI(problem, value_range=None)
    one_step = model.restore(degraded, num_steps=1, sampler=sampler)
    many_steps = model.restore(degraded, num_steps=50, sampler=sampler)
    assert fraction_in_a_mode(many_steps, FOUR_MODES) >= 0.99
    assert fraction_in_a_mode(one_step, FOUR_MODES) < 0.2
    # No mode is forgotten.
    nearest = np.round(many_steps.reshape(-1, 2), 1)
    for mode in FOUR_MODES:
        assert np.mean(np.all(nearest == mode, axis=1)) == pytest.approx(0.25, abs=0.05)


def test_one_step_is_the_softmax_weighted_mean_of_the_modes():
    diagonal, noise_scale = np.array([1.0, 0.0]), 0.5
    problem = DiscretePosteriorMean(FOUR_MODES, diagonal, noise_scale)
    degraded, _ = problem.draw(50, np.random.default_rng(1))
    likelihood = np.exp(
        -np.sum((degraded[:, 0] - diagonal * FOUR_MODES) ** 2, axis=-1)
        / (2 * noise_scale**2)
    )
    expected = likelihood @ FOUR_MODES / likelihood.sum(axis=1, keepdims=True)
    restored = InDI(problem, value_range=None).restore(degraded, num_steps=1)
    np.testing.assert_allclose(restored[:, 0, 0], expected, atol=1e-6)
