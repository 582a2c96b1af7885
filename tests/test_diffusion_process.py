"""The formulas of denoising diffusion against the papers', in their own symbols."""

import numpy as np
import pytest
from helpers import to_numpy, x64
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops

from keras_indi import diffusion_process

levels = st.floats(0.02, 0.98)


def alpha_bar(level):
    return np.cos(np.pi * level / 2) ** 2


def in_float64(function, *args, **kwargs):
    with x64():
        args = [ops.convert_to_tensor(np.asarray(arg, "float64")) for arg in args]
        return to_numpy(function(*args, **kwargs))


def draws(seed=0):
    return np.random.default_rng(seed).normal(size=(2, 3, 4, 1))


@settings(max_examples=10)
@given(levels)
def test_level_and_weights(level):
    signal_scale, noise_scale = (
        to_numpy(scale) for scale in diffusion_process.scales(level)
    )
    assert signal_scale**2 + noise_scale**2 == pytest.approx(1, abs=1e-6)
    assert float(to_numpy(diffusion_process.noise_level(signal_scale))) == (
        pytest.approx(level, abs=1e-5)
    )


def test_the_ends_are_exact():
    assert float(to_numpy(diffusion_process.noise_level(1.0))) == 0.0
    clean, noise = draws(0).astype("float32"), draws(1).astype("float32")
    start = diffusion_process.diffuse(clean, noise, 0.0)
    np.testing.assert_array_equal(to_numpy(start), clean)
    for update in (
        diffusion_process.ancestral_update,
        diffusion_process.ddim_update,
    ):
        end = to_numpy(update(noise, clean, 0.3, 0.0))
        np.testing.assert_allclose(end, clean, rtol=1e-6)
    assert float(to_numpy(diffusion_process.ancestral_noise_scale(0.3, 0.0))) == 0.0


@settings(max_examples=10)
@given(levels)
def test_estimates_of_the_clean_image_and_of_the_noise_are_one(level):
    clean, noise = draws(0), draws(1)
    images = in_float64(diffusion_process.diffuse, clean, noise, level)
    found = in_float64(diffusion_process.clean_from_noise, images, noise, level)
    np.testing.assert_allclose(found, clean, atol=1e-5)
    found = in_float64(diffusion_process.noise_from_clean, images, clean, level)
    np.testing.assert_allclose(found, noise, atol=1e-5)


def test_each_image_has_its_level():
    clean, noise = draws(0), draws(1)
    found = to_numpy(diffusion_process.diffuse(clean, noise, [0.2, 0.7]))
    for index, level in enumerate([0.2, 0.7]):
        expected = to_numpy(
            diffusion_process.diffuse(clean[index], noise[index], level)
        )
        np.testing.assert_allclose(found[index], expected, rtol=1e-6)


@settings(max_examples=15)
@given(levels, st.floats(0.01, 0.99))
def test_ancestral_update_is_the_posterior_of_bayes(level, part):
    """z_s given z_t and x: the precision-weighted mean of two Gaussians."""
    next_level = part * level
    before, after = alpha_bar(level), alpha_bar(next_level)
    images, estimate = draws(0), draws(1)
    # z_s ~ N(sqrt(after) x, 1 - after), z_t | z_s ~ N(sqrt(r) z_s, 1 - r).
    ratio = before / after
    precision = 1 / (1 - after) + ratio / (1 - ratio)
    mean = np.sqrt(after) * estimate / (1 - after)
    mean = (mean + np.sqrt(ratio) * images / (1 - ratio)) / precision
    found = in_float64(
        diffusion_process.ancestral_update, images, estimate, level, next_level
    )
    # (On JAX, Keras takes cosines in float32.)
    np.testing.assert_allclose(found, mean, rtol=1e-5, atol=1e-6)
    scale = in_float64(diffusion_process.ancestral_noise_scale, level, next_level)
    assert scale == pytest.approx(np.sqrt(1 / precision), rel=1e-5)


@settings(max_examples=15)
@given(levels, st.floats(0.01, 0.99), st.sampled_from([0.0, 0.5, 1.0]))
def test_ddim_update_is_equation_12(level, part, eta):
    next_level = part * level
    before, after = alpha_bar(level), alpha_bar(next_level)
    images, noise = draws(0), draws(1)
    estimate = (images - np.sqrt(1 - before) * noise) / np.sqrt(before)
    sigma = eta * np.sqrt((1 - after) / (1 - before)) * np.sqrt(1 - before / after)
    expected = np.sqrt(after) * estimate + np.sqrt(1 - after - sigma**2) * noise
    arguments = images, estimate, level, next_level
    found = in_float64(diffusion_process.ddim_update, *arguments, eta=eta)
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5)
    if eta == 1:
        ancestral = in_float64(diffusion_process.ancestral_update, *arguments)
        np.testing.assert_allclose(found, ancestral, rtol=1e-5, atol=1e-5)


def test_ancestral_steps_keep_the_marginal():
    """From z_t of known x, with that x: z_s has the path's mean and variance."""
    level, next_level = 0.8, 0.5
    noise, fresh = np.random.default_rng(0).normal(size=(2, 200000))
    images = diffusion_process.diffuse(np.full(200000, 0.7), noise, level)
    moved = diffusion_process.ancestral_update(
        images, np.full(200000, 0.7), level, next_level
    )
    scale = to_numpy(diffusion_process.ancestral_noise_scale(level, next_level))
    moved = to_numpy(moved) + scale * fresh
    expected = alpha_bar(next_level)
    assert moved.mean() == pytest.approx(0.7 * np.sqrt(expected), abs=0.01)
    assert moved.var() == pytest.approx(1 - expected, rel=0.02)
