import keras
import numpy as np
import pytest
from helpers import to_numpy
from hypothesis import given
from hypothesis import strategies as st
from keras import ops

from keras_indi import process

SHAPE = (5, 4, 3, 2)
TIMES = np.array([0.0, 1e-3, 0.3, 0.999, 1.0], "float32")


def arrays(count=2, seed=0):
    rng = np.random.default_rng(seed)
    return [rng.normal(100, 50, SHAPE).astype("float32") for _ in range(count)]


def column(times):
    """Times as NumPy broadcasts them: one per image."""
    times = np.asarray(times, "float64")
    return times if times.ndim == 0 else times[:, None, None, None]


times_of_a_batch = pytest.mark.parametrize("times", [TIMES, 0.0, 0.3, 1.0])


@times_of_a_batch
def test_interpolate_is_the_straight_path(times):
    clean, degraded = arrays()
    t = column(times)
    np.testing.assert_allclose(
        to_numpy(process.interpolate(clean, degraded, times)),
        (1 - t) * clean + t * degraded,
        rtol=1e-6,
        atol=1e-4,
    )


def test_interpolate_is_exact_at_both_ends():
    clean, degraded = arrays()
    for times in (np.ones(5), 1.0):
        found = to_numpy(process.interpolate(clean, degraded, times))
        np.testing.assert_array_equal(found, degraded)
    for times in (np.zeros(5), 0.0):
        found = to_numpy(process.interpolate(clean, degraded, times))
        np.testing.assert_array_equal(found, clean)


@pytest.mark.parametrize("scale", [TIMES, 0.7, 0.0])
def test_perturb_adds_scaled_noise(scale):
    images, noise = arrays()
    np.testing.assert_allclose(
        to_numpy(process.perturb(images, noise, scale)),
        images + column(scale) * noise,
        rtol=1e-6,
        atol=1e-4,
    )


@pytest.mark.parametrize(
    "times, next_times",
    [
        (TIMES[1:], 0.5 * TIMES[1:]),
        (0.8, 0.5),
        (1.0, TIMES[1:]),
        (TIMES[1:], 1e-4),
    ],
)
def test_update_is_proposition_1(times, next_times):
    images, estimate = (array[1:] for array in arrays())
    ratio = column(next_times) / column(times)
    np.testing.assert_allclose(
        to_numpy(process.update(images, estimate, times, next_times)),
        (1 - ratio) * estimate + ratio * images,
        rtol=1e-6,
        atol=1e-4,
    )


@pytest.mark.parametrize("times", [TIMES[1:], 1e-3, 0.3, 1.0])
def test_update_ends_at_the_estimate_exactly(times):
    images, estimate = (array[1:] for array in arrays())
    found = process.update(images, estimate, times, 0.0)
    np.testing.assert_array_equal(to_numpy(found), estimate)


@times_of_a_batch
def test_update_to_the_same_time_changes_nothing(times):
    images, estimate = arrays()
    found = process.update(images, estimate, times, times)
    np.testing.assert_array_equal(to_numpy(found), images)


@given(
    clean=st.floats(-300, 300, width=32),
    degraded=st.floats(-300, 300, width=32),
    time=st.floats(0.0625, 1, width=32),
    fraction=st.floats(0, 1, width=32),
)
def test_update_with_the_true_image_stays_on_the_path(clean, degraded, time, fraction):
    # With F = x, the update from x_t must give x_s = (1 - s) x + s y.
    next_time = np.float32(time) * np.float32(fraction)
    clean, degraded = [[clean]], [[degraded]]
    images = process.interpolate(clean, degraded, time)
    found = process.update(images, clean, time, next_time)
    expected = process.interpolate(clean, degraded, next_time)
    np.testing.assert_allclose(to_numpy(found), to_numpy(expected), atol=3e-4)


@pytest.mark.parametrize("times", [TIMES[1:], 0.3, 1.0])
def test_residual_flow(times):
    images, estimate = (array[1:] for array in arrays())
    np.testing.assert_allclose(
        to_numpy(process.residual_flow(images, estimate, times)),
        (images - estimate) / column(times),
        rtol=1e-5,
    )


def test_residual_flow_is_the_slope_of_the_update():
    images, estimate = arrays()
    time, next_time = 0.6, 0.45
    flow = process.residual_flow(images, estimate, time)
    found = images + (next_time - time) * to_numpy(flow)
    expected = process.update(images, estimate, time, next_time)
    np.testing.assert_allclose(found, to_numpy(expected), rtol=1e-5)


def test_nothing_is_undefined_at_time_zero():
    images, estimate = arrays()
    zeros = np.zeros(5, "float32")
    for zero in (zeros, 0.0):
        np.testing.assert_array_equal(
            to_numpy(process.update(images, estimate, zero, zero)), images
        )
        np.testing.assert_array_equal(
            to_numpy(process.residual_flow(images, estimate, zero)), 0 * images
        )
        np.testing.assert_array_equal(
            to_numpy(process.update_noise_scale(zero, zero, zero, zero)), zero
        )


@pytest.mark.parametrize("dtype", ["bfloat16", "float16", "uint8", "int32"])
def test_everything_is_computed_in_float32(dtype):
    rng = np.random.default_rng(0)
    first, second = (
        ops.cast(rng.integers(0, 255, (2, 3, 3, 1)), dtype) for _ in range(2)
    )
    times = ops.cast([0.25, 0.5], dtype if "float" in dtype else "float32")
    exact = [to_numpy(ops.cast(image, "float32")) for image in (first, second)]
    t = column([0.25, 0.5])
    found = {
        "interpolate": process.interpolate(first, second, times),
        "perturb": process.perturb(first, second, times),
        "update": process.update(first, second, times, 0.5 * times),
        "residual_flow": process.residual_flow(first, second, times),
    }
    expected = {
        "interpolate": (1 - t) * exact[0] + t * exact[1],
        "perturb": exact[0] + t * exact[1],
        "update": 0.5 * exact[1] + 0.5 * exact[0],
        "residual_flow": (exact[0] - exact[1]) / t,
    }
    for name, value in found.items():
        assert keras.backend.standardize_dtype(value.dtype) == "float32", name
        np.testing.assert_allclose(to_numpy(value), expected[name], rtol=1e-6)


@given(
    eps=st.floats(0.01, 50),
    time=st.floats(0.01, 1),
    fraction=st.floats(0.01, 0.95),
)
def test_update_noise_scale_of_brownian_noise(eps, time, fraction):
    next_time = fraction * time
    found = process.update_noise_scale(
        time, next_time, time * eps**2, fraction * time * eps**2
    )
    # s sqrt(eps_s^2 - eps_t^2) with eps_t = eps / sqrt(t)
    expected = next_time * np.sqrt(eps**2 / next_time - eps**2 / time)
    np.testing.assert_allclose(float(to_numpy(found)), expected, rtol=1e-4)


def test_update_noise_scale_of_constant_noise_is_exactly_zero():
    # Two million times, so that the worst roundings are among them.
    rng = np.random.default_rng(0)
    time = rng.uniform(1e-3, 1, 2_000_000).astype("float32")
    next_time = time * rng.uniform(0, 1, time.size).astype("float32")
    eps = rng.uniform(0, 50, time.size).astype("float32")
    found = process.update_noise_scale(
        time, next_time, (time * eps) ** 2, (next_time * eps) ** 2
    )
    assert np.count_nonzero(to_numpy(found)) == 0


def test_update_noise_scale_is_zero_at_the_end_and_batched():
    times = np.array([1.0, 0.5, 0.5], "float32")
    next_times = np.array([0.0, 0.0, 0.125], "float32")
    found = process.update_noise_scale(times, next_times, 4 * times, 4 * next_times)
    # v(t) = 4 t: sqrt(4/8 - (1/4)^2 * 4/2) in the last
    np.testing.assert_allclose(to_numpy(found), [0, 0, np.sqrt(0.375)], rtol=1e-6)


@given(
    eps=st.floats(0.01, 50),
    steps=st.lists(st.floats(0.05, 0.99), min_size=1, max_size=12),
)
def test_the_updates_noise_accumulates_to_the_paths_variance(eps, steps):
    times = np.cumprod([1.0, *steps])
    carried = eps**2  # the variance of the start's noise, v(1)
    for time, next_time in zip(times, times[1:]):
        scale = process.update_noise_scale(
            time, next_time, time * eps**2, next_time * eps**2
        )
        carried = (next_time / time) ** 2 * carried + float(to_numpy(scale)) ** 2
        np.testing.assert_allclose(carried, next_time * eps**2, rtol=1e-4)


@times_of_a_batch
def test_shifted_times(times):
    for shift in (0.5, 1.0, 1.7):
        found = to_numpy(process.shift_times(times, shift))
        np.testing.assert_allclose(found, np.minimum(1, shift * times), rtol=1e-6)
        assert found.shape == np.shape(times) and found.dtype == "float32"
    unshifted = to_numpy(process.shift_times(times, 1.0))
    np.testing.assert_array_equal(unshifted, np.asarray(times, "float32"))
