import keras
import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import full_strength, smooth_images, tiny_unet, to_numpy
from hypothesis import given, settings
from hypothesis import strategies as st

from keras_indi import samplers
from keras_indi.inference import tiling
from keras_indi.inference.progress import Progress
from keras_indi.models import InDI, UNetBackbone
from keras_indi.samplers import BUILTIN


@pytest.mark.backend_free
@given(length=st.integers(1, 400), tiles=st.integers(1, 12), halo=st.integers(0, 20))
def test_windows_cover_every_pixel_once_with_the_halo_around(length, tiles, halo):
    tile_size = 2 * halo + tiles
    windows = tiling.tile_windows(length, tile_size, halo)
    kept = [pixel for w in windows for pixel in range(w.keep_from, w.keep_to)]
    assert kept == list(range(length))
    for origin, keep_from, keep_to, weights in windows:
        end = min(origin + tile_size, length)
        assert 0 <= origin <= keep_from < keep_to <= end
        assert keep_from - origin >= halo or origin == 0
        assert end - keep_to >= halo or end == length
        assert weights is None
    if length >= tile_size:
        assert all(window.origin + tile_size <= length for window in windows)


@pytest.mark.backend_free
def test_origins_lie_on_the_networks_grid():
    for length in range(48, 200, 4):
        for window in tiling.tile_windows(length, 48, 20):
            assert window.origin % 4 == 0


@pytest.mark.backend_free
@given(length=st.integers(1, 300), overlap=st.integers(0, 20), more=st.integers(1, 40))
def test_feathered_windows_sum_to_one_in_ramps(length, overlap, more):
    windows = tiling.feathered_windows(length, overlap + more, overlap)
    total = np.zeros(length)
    for window in windows:
        total[window.keep_from : window.keep_to] += window.weights
        assert window.weights.min() > 0
        assert window.keep_to - window.origin == min(overlap + more, length)
    np.testing.assert_allclose(total, 1.0, atol=1e-6)
    if len(windows) > 2 and more > overlap:  # a ramp climbs evenly from 0 to 1
        ramp = windows[1].weights[:overlap]
        expected = (np.arange(overlap) + 0.5) / max(overlap, 1)
        if windows[2].origin >= windows[0].keep_to:
            np.testing.assert_allclose(ramp, expected, atol=1e-6)


@pytest.mark.parametrize("batch_size", [1, 3])
def test_all_tiles_have_one_shape(batch_size):
    calls = []

    def predict(images, times, degraded):
        calls.append(tuple(images.shape))
        return 2.0 * images + degraded

    images = np.random.default_rng(0).random((40, 24, 1)).astype("float32")
    windows = [tiling.tile_windows(length, 16, 4) for length in (40, 24)]
    tiles = tiling.Tiles(*windows, (16, 16), batch_size)
    target = np.zeros_like(images)
    progress = Progress(tiles.num_batches, 0)
    tiles.evaluate(predict, images, 1.0, 1.0 - images, target, progress)
    np.testing.assert_allclose(target, 1.0 + images, atol=1e-6)
    # Each tile keeps 8 new pixels beyond the first 12.
    assert calls == [(batch_size, 16, 16, 1)] * -(-4 * 2 // batch_size)
    assert len(calls) == tiles.num_batches


@pytest.fixture(scope="module")
def unet():
    return tiny_unet(channel_multipliers=(1, 1), gain=0.8, condition_on_degraded=True)


@pytest.fixture(scope="module")
def models(unet):
    """A model for each noise, so that the tiles' estimate is compiled once."""
    return {
        noise: InDI(unet, noise_schedule=noise, value_range=(0, 1))
        for noise in ("brownian", 0.02)
    }


# In memory and on disk.
BUDGETS = [{"tile_size": 48}, {"max_memory": 1_000_000}]


@pytest.mark.parametrize("sampler", sorted(BUILTIN))
def test_tiles_restore_the_same_image_as_whole(models, sampler):
    model = models["brownian" if sampler in ("indi", "naive") else 0.02]
    image = smooth_images(1, 53, 89, high=1.0)[0]
    arguments = {"num_steps": 3, "sampler": sampler, "seed": 3}
    arguments["return_trajectory"] = True
    whole = model.restore(image, tile_size=None, **arguments)
    assert np.abs(whole[-1] - image).max() > 0.1  # the network does something
    for budget in BUDGETS:
        tiled = model.restore(image, **budget, **arguments)
        np.testing.assert_allclose(tiled, whole, atol=1e-5)


@settings(max_examples=6)
@given(
    height=st.integers(1, 70),
    width=st.integers(1, 90),
    more=st.integers(1, 8),
    levels=st.integers(1, 2),
    patch_size=st.sampled_from([1, 2, 3]),
    sampler=st.sampled_from(["indi", "heun", "multistep"]),
)
@pytest.mark.slow
def test_any_size_any_tiles_any_network(
    height, width, more, levels, patch_size, sampler
):
    network = tiny_unet(
        channel_multipliers=(1,) * levels, patch_size=patch_size, gain=0.8
    )
    model = InDI(network, noise_schedule=0.02, value_range=(0, 1))
    multiple = network.size_multiple
    halo = -(-(network.receptive_field // 2) // multiple) * multiple
    image = smooth_images(1, height, width, high=1.0)[0]
    arguments = {"num_steps": 2, "sampler": sampler, "seed": 1, "verbose": 0}
    whole = model.restore(image, tile_size=None, **arguments)
    tiled = model.restore(image, tile_size=2 * halo + more * multiple, **arguments)
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


@pytest.mark.slow
def test_the_presets_network():
    network = UNetBackbone(
        base_channels=64,
        channel_multipliers=(1, 2),
        blocks_per_level=2,
        patch_size=2,
        condition_on_degraded=True,
    )
    full_strength(network, gain=0.8)
    model = InDI(network, noise_schedule=0.02, value_range=(0, 1))
    image = smooth_images(1, 201, 243, high=1.0)[0]
    arguments = {"num_steps": 2, "seed": 1, "verbose": 0}
    whole = model.restore(image, tile_size=None, **arguments)
    assert np.abs(whole - image).max() > 0.1
    for budget in ({"tile_size": 192}, {"max_memory": 32 * 2**20}):
        tiled = model.restore(image, **budget, **arguments)
        np.testing.assert_allclose(tiled, whole, atol=1e-5)


@keras.saving.register_keras_serializable(package="tests")
class ThreeEvaluations(samplers.Sampler):
    """A rule of one's own with a nested memory: images, a grey one, and a number."""

    def initial_memory(self, images):
        return (images, (keras.ops.mean(images, -1, keepdims=True), 1.0)), ()

    def step(self, predict, images, times, next_times, memory):
        (start, (grey, count)), _ = memory
        first = predict(images, times)
        second = predict(0.5 * (images + first), next_times)
        third = predict(second + 0.1 * grey, 0.5 * times)
        new = 0.5 * third + 0.2 * second + 0.2 * start + 0.1 * count * images
        return new, ((first, (0.5 * grey, 0.5 * count)), ())

    def evaluations(self, num_steps):
        return 3 * num_steps


def test_a_rule_of_ones_own_with_several_estimates_and_a_memory(models):
    model = models[0.02]
    image = smooth_images(1, 53, 89, high=1.0)[0]
    arguments = {"num_steps": 3, "sampler": ThreeEvaluations(), "seed": 3}
    arguments["return_trajectory"] = True
    whole = model.restore(image, tile_size=None, **arguments)
    for budget in BUDGETS:
        tiled = model.restore(image, **budget, **arguments)
        np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_tiles_larger_than_the_image_batches_and_draws(models):
    model = models[0.02]
    images = smooth_images(2, 21, 61, high=1.0)
    for further in ({}, {"num_samples": 2}, {"return_trajectory": True}):
        arguments = {"num_steps": 2, "seed": 1, **further}
        whole = model.restore(images, tile_size=None, **arguments)
        for tile_size in (48, 64):
            tiled = model.restore(images, tile_size=tile_size, **arguments)
            np.testing.assert_allclose(tiled, whole, atol=1e-5)
        listed = model.restore(list(images), tile_size=48, **arguments)
        axis = len(further)
        np.testing.assert_allclose(np.stack(listed, axis), whole, atol=1e-5)


def test_feathered_tiles_are_inexact_at_the_seams_alone(unet):
    model = InDI(unet, value_range=(0, 1))
    image = smooth_images(1, 60, 122, high=1.0)[0]
    whole = model.restore(image, num_steps=1, tile_size=None)
    reach = unet.receptive_field // 2
    tiled = model.restore(image, num_steps=1, tile_size=64, tile_overlap=6)
    error = np.abs(tiled - whole).max(axis=(0, 2))
    assert error.max() > 1e-3
    # Tiles end at 64 and begin at 58; what lies further off sees no seam.
    assert error[: 58 - reach].max() < 1e-5 and error[64 + reach :].max() < 1e-5
    hard = model.restore(image, num_steps=1, tile_size=64, tile_overlap=0)
    assert np.abs(hard - whole).max() > error.max()
    exact = model.restore(
        image, num_steps=1, tile_size=64, tile_overlap=unet.receptive_field
    )
    np.testing.assert_allclose(exact, whole, atol=1e-5)
    on_disk = model.restore(image, num_steps=2, tile_overlap=6, max_memory=200_000)
    assert on_disk.shape == image.shape


def test_without_a_halo_the_seams_would_show(unet):
    # The halo is not only sufficient but needed: a quarter of it shows a seam.
    images = smooth_images(1, 48, 96, high=2.0)[0] - 1.0

    def predict(images, times, degraded):
        inputs = {"images": images, "times": [1.0], "degraded": degraded}
        return unet({k: keras.ops.convert_to_tensor(v) for k, v in inputs.items()})

    whole = to_numpy(predict(images[None], 1.0, images[None]))[0]
    reach = unet.receptive_field // 2
    for halo, seam in [(reach + 1, False), (reach // 4, True)]:
        windows = [tiling.tile_windows(length, 48, halo) for length in (48, 96)]
        tiles = tiling.Tiles(*windows, (48, 48))
        target = np.zeros_like(images)
        tiles.evaluate(predict, images, 1.0, None, target, Progress(9, 0))
        assert (np.abs(target - whole).max() > 1e-4) == seam


def test_tiles_need_a_backbone_that_knows_its_reach():
    model = InDI(ConstantEstimate(), value_range=None)
    image = np.zeros((64, 64, 1), "float32")
    with pytest.raises(ValueError, match="receptive_field.*Received: backbone="):
        model.restore(image, tile_size=32)
    assert model.restore(image, num_steps=1, max_memory=1000).shape == image.shape


def test_tiles_too_small_for_the_network(unet):
    model = InDI(unet, value_range=(0, 1))
    image = smooth_images(1, 53, 89, high=1.0)[0]
    for tile_size in (8, 40, 49):
        with pytest.raises(ValueError, match=f"Received: tile_size={tile_size}"):
            model.restore(image, tile_size=tile_size)
