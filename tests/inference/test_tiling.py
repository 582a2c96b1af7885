import numpy as np
import pytest
from closed_forms import ConstantEstimate
from helpers import smooth_images, tiny_unet, to_numpy
from hypothesis import given
from hypothesis import strategies as st

from keras_indi.inference import tiling
from keras_indi.models import InDI
from keras_indi.samplers import BUILTIN


@given(length=st.integers(1, 400), tiles=st.integers(1, 12), halo=st.integers(0, 20))
def test_windows_cover_every_pixel_once_with_the_halo_around(length, tiles, halo):
    tile_size = 2 * halo + tiles
    windows = tiling.tile_windows(length, tile_size, halo)
    kept = [pixel for _, start, end in windows for pixel in range(start, end)]
    assert kept == list(range(length))
    for origin, keep_from, keep_to in windows:
        end = min(origin + tile_size, length)
        assert 0 <= origin <= keep_from < keep_to <= end
        assert keep_from - origin >= halo or origin == 0
        assert end - keep_to >= halo or end == length
    if length >= tile_size:
        assert all(origin + tile_size <= length for origin, _, _ in windows)


def test_origins_lie_on_the_networks_grid():
    for length in range(48, 200, 4):
        for origin, _, _ in tiling.tile_windows(length, 48, 20):
            assert origin % 4 == 0


def test_a_tile_is_never_smaller_than_the_network_sees():
    calls = []

    def predict(images, times, degraded):
        calls.append(images.shape)
        return images

    images = np.random.default_rng(0).random((2, 40, 24, 1)).astype("float32")
    whole = tiling.tiled(predict, tile_size=16, reach=3, multiple=4)
    np.testing.assert_array_equal(to_numpy(whole(images, 1.0, images)), images)
    assert set(calls) == {(2, 16, 16, 1)}
    assert len(calls) == 4 * 2  # each tile keeps 8 new pixels beyond the first 12


@pytest.mark.parametrize("tile_size", [8, 10, 18, 4])
def test_bad_tile_sizes(tile_size):
    with pytest.raises(
        ValueError, match=f"larger than 8.*Received: tile_size={tile_size}"
    ):
        tiling.tiled(lambda *_: None, tile_size, reach=3, multiple=4)


@pytest.fixture(scope="module")
def unet():
    return tiny_unet(channel_multipliers=(1, 1), gain=0.8, condition_on_degraded=True)


@pytest.mark.parametrize("sampler", sorted(BUILTIN))
def test_tiles_restore_the_same_image_as_whole(unet, sampler):
    noise = "brownian" if sampler in ("indi", "naive") else 0.02
    model = InDI(unet, noise_schedule=noise, value_range=(0, 1))
    image = smooth_images(1, 53, 89, high=1.0)[0]
    arguments = {"num_steps": 3, "sampler": sampler, "seed": 3}
    arguments["return_trajectory"] = True
    whole = model.restore(image, **arguments)
    tiled = model.restore(image, tile_size=48, **arguments)
    assert np.abs(whole[-1] - image).max() > 0.1  # the network does something
    np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_tiles_larger_than_the_image_and_batches(unet):
    model = InDI(unet, noise_schedule=0.02, value_range=(0, 1))
    images = smooth_images(3, 21, 61, high=1.0)
    whole = model.restore(images, num_steps=2, seed=1)
    for tile_size in (48, 64):
        tiled = model.restore(images, num_steps=2, seed=1, tile_size=tile_size)
        np.testing.assert_allclose(tiled, whole, atol=1e-5)


def test_tiles_smaller_than_the_reach_would_differ(unet):
    # The halo is not only sufficient but needed: half of it shows a seam.
    images = smooth_images(1, 48, 96, high=2.0) - 1.0
    times = np.ones(1, "float32")

    def predict(images, times, degraded):
        return unet({"images": images, "times": times, "degraded": degraded})

    whole = to_numpy(predict(images, times, images))
    reach = (unet.receptive_field - 1) // 2
    for halo, seam in [(reach, False), (reach // 4, True)]:
        tiled = tiling.tiled(predict, 48, halo, 2)(images, times, images)
        assert (np.abs(to_numpy(tiled) - whole).max() > 1e-4) == seam


def test_tiles_need_a_backbone_that_knows_its_reach():
    model = InDI(ConstantEstimate(), value_range=None)
    with pytest.raises(ValueError, match="receptive_field.*Received: backbone="):
        model.restore(np.zeros((64, 64, 1), "float32"), tile_size=32)


def test_tiles_too_small_for_the_network(unet):
    model = InDI(unet, value_range=(0, 1))
    image = smooth_images(1, 53, 89, high=1.0)[0]
    for tile_size in (8, 40, 49):
        with pytest.raises(ValueError, match=f"Received: tile_size={tile_size}"):
            model.restore(image, tile_size=tile_size)
