"""The function that is exported: `restore` as one graph, with the noise as an input."""

import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet, to_numpy
from keras import ops

from keras_indi.export import graphs, sampler_noise
from keras_indi.export.settings import Settings
from keras_indi.models import ConditionalDDPM, InDI
from keras_indi.schedules.noise_schedule import BrownianNoise


def run(model, images, uint8=False, scale=None, seed=0, **arguments):
    """What the graph of a sampler gives, and `restore`."""
    rule, times, shift = model.setting(**arguments)
    scale = model.scale if scale is None else scale
    settings = Settings(
        form="sampler",
        format="onnx",
        precision="float32",
        sampler=rule,
        times=times.tolist(),
        time_shift=shift,
        scale=scale,
        uint8=uint8,
    )
    graph = settings.graph(model)
    count, *sizes = images.shape[:3]
    noise = sampler_noise(
        model, *sizes, seed, num_images=count, scale=scale, **arguments
    )
    given = [ops.convert_to_tensor(images)]
    if "noise" in graph.inputs:
        assert graph.inputs["noise"][0][0] == len(noise) > 0
        given.append(ops.convert_to_tensor(noise))
    else:
        assert len(noise) == 0
    found = to_numpy(graph.function(*given))
    return found, model.restore(images, seed=seed, scale=scale, **arguments)


def noisy_model(network=None, **kwargs):
    return InDI(network or tiny_unet(gain=0.3), noise_schedule=0.2, seed=0, **kwargs)


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_steps": 1},
        {"num_steps": 3, "time_shift": 1.5},
        {"num_steps": 3, "sampler": "heun", "time_grid": "cosine"},
        {"num_steps": 4, "sampler": "multistep"},
        {"num_steps": 4, "sampler": "dpm_solver", "time_grid": "power"},
        {"time_grid": [1.0, 0.3, 0.0], "sampler": "cold_diffusion"},
    ],
    ids=str,
)
def test_each_rule(arguments):
    images = smooth_images(2, 7, 10)
    found, expected = run(noisy_model(), images, seed=[3, 5], **arguments)
    assert found.dtype == expected.dtype == "float32"
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert np.abs(expected - images).max() > 1


@pytest.mark.parametrize("sizes", [(8, 6), (1, 5)], ids=str)
def test_sizes_that_are_multiples_and_smaller_than_one(sizes):
    network = tiny_unet(gain=0.3, channel_multipliers=(1, 1, 1))
    found, expected = run(noisy_model(network), smooth_images(1, *sizes), num_steps=1)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_noise_at_each_step():
    model = InDI(tiny_unet(gain=0.3), noise_schedule=BrownianNoise(0.3), seed=0)
    images = smooth_images(1, 9, 6)
    found, expected = run(model, images, num_steps=3)
    np.testing.assert_allclose(found, expected, atol=1e-3)
    assert len(sampler_noise(model, 9, 6, seed=0, num_steps=3)) == 3


def test_no_noise():
    found, expected = run(InDI(tiny_unet(), seed=0), smooth_images(1, 5, 6))
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_networks_that_see_the_degraded_image():
    network = small_network(condition_on_degraded=True)
    images = smooth_images(1, 5, 6)
    found, expected = run(noisy_model(network), images, num_steps=2)
    np.testing.assert_allclose(found, expected, atol=1e-3)


@pytest.mark.parametrize("scale", [1, 3])
def test_enlargement_and_whole_numbers(scale):
    images = smooth_images(1, 5, 4).astype("uint8")
    found, expected = run(noisy_model(scale=3), images, True, scale, num_steps=2)
    assert found.dtype == expected.dtype == "uint8"
    assert found.shape == (1, scale * 5, scale * 4, 3)
    # What lies at a half may be rounded either way.
    assert np.abs(found.astype(int) - expected).max() <= 1
    assert np.mean(found != expected) < 0.01


def test_another_range_is_clipped():
    model = noisy_model(tiny_unet(), value_range=(-0.5, 0.5))
    images = smooth_images(1, 6, 6, high=1.0) - 0.5
    found, expected = run(model, images, num_steps=2)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    assert expected.max() == 0.5 and np.mean(expected == 0.5) < 0.5


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_denoising_diffusion_starts_from_the_noise(sampler):
    model = ConditionalDDPM(tiny_unet(gain=0.3, condition_on_degraded=True), seed=0)
    images = smooth_images(2, 7, 6)
    found, expected = run(model, images, num_steps=3, sampler=sampler)
    np.testing.assert_allclose(found, expected, atol=1e-3)


def test_noise_is_that_of_the_images_own_generators():
    model = noisy_model(scale=2)
    noise = sampler_noise(model, 3, 5, seed=4, num_images=2, num_steps=1)
    assert noise.shape == (1, 2, 6, 10, 3) and noise.dtype == "float32"
    for index in range(2):
        random = np.random.default_rng((4, index, 0, 1))
        expected = random.standard_normal((6, 10, 3), "float32")
        np.testing.assert_array_equal(noise[0, index], expected)


@pytest.mark.parametrize(
    "arguments",
    [{"height": 0}, {"seed": -1}, {"num_images": 0}, {"scale": 3}, {"seed": [1, 2]}],
    ids=str,
)
def test_noise_of_nothing(arguments):
    (name,) = arguments
    with pytest.raises(ValueError, match=f"{name}.*Received: "):
        sampler_noise(noisy_model(), **{"height": 4, "width": 4, "seed": 0} | arguments)


def test_the_denoiser_is_the_estimate_at_any_times():
    model = noisy_model(tiny_unet(gain=0.3, condition_on_degraded=True))
    graph = graphs.denoiser(model)
    assert list(graph.inputs) == ["images", "times", "degraded"]
    images, degraded = smooth_images(4, 8, 6).reshape(2, 2, 8, 6, 3)
    times = np.array([0.25, 1.0], "float32")
    given = [ops.convert_to_tensor(value) for value in (images, times, degraded)]
    expected = model({"images": images, "times": times, "degraded": degraded})
    np.testing.assert_allclose(
        to_numpy(graph.function(*given)), to_numpy(expected), atol=1e-3
    )
    assert keras.backend.standardize_dtype(expected.dtype) == "float32"
