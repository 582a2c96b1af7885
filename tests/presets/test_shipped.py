"""The presets that are shipped: whole, of the size promised, and as they say."""

import functools
import math
import pathlib

import keras
import numpy as np
import pytest
import setuptools
from helpers import smooth_images, tiny_unet

import keras_indi
from keras_indi.data import degradations
from keras_indi.data.resize import resize
from keras_indi.models import InDI, UNetBackbone
from keras_indi.presets import PRESETS_FOLDER, card, handles, list_presets
from keras_indi.presets.files import FILES
from keras_indi.samplers import BUILTIN as SAMPLERS

PAPER = {
    "loss": "mean_absolute_error",
    "optimizer": "Adam",
    "learning_rate": 1e-4,
    "learning_rate_schedule": "fixed",
    "ema": 0.9999,
    "steps": 500_000,
}
ARCHITECTURES = {
    "indi_motion_deblur": False,
    "indi_defocus_deblur": False,
    "indi_super_resolution_x4": True,
    "indi_jpeg_q15": True,
    "indi_celeba_64_generation": False,
}
TRAINED = [name for name, found in list_presets().items() if found["weights_sha256"]]


def test_every_folder_is_a_preset_and_nothing_else():
    folders = [path.name for path in PRESETS_FOLDER.iterdir()]
    assert sorted(folders) == list(list_presets()) == list(InDI.presets)
    assert set(InDI.presets) == set(UNetBackbone.presets)
    assert ARCHITECTURES.keys() <= set(folders)
    for path in PRESETS_FOLDER.glob("*/*"):
        assert path.name in FILES, path


def test_the_package_carries_them():
    setup = (PRESETS_FOLDER.parents[2] / "setup.py").read_text()
    assert '"keras_indi.presets": ["data/*/*"]' in setup
    found = setuptools.find_packages(PRESETS_FOLDER.parents[2])
    assert "keras_indi.presets" in found


@pytest.mark.backend_free
def test_a_saved_folder_is_all_it_takes_to_ship_one(tmp_path, monkeypatch):
    monkeypatch.setattr(handles, "PRESETS_FOLDER", tmp_path)
    assert list_presets() == InDI.presets == {}
    InDI(tiny_unet()).save_to_preset(tmp_path / "indi_new", {"task": "new"})
    assert list(InDI.presets) == list(UNetBackbone.presets) == ["indi_new"]
    assert InDI.presets["indi_new"]["task"] == "new"
    loaded = InDI.from_preset("indi_new")
    np.testing.assert_array_equal(loaded.get_weights()[0], tiny_unet().get_weights()[0])
    with pytest.raises(ValueError, match=r"shipped one \(indi_new\)"):
        InDI.from_preset("indi_old")


@pytest.mark.backend_free
def test_short_names():
    shorts = ("blind", "jpeg", "denoise", "super_resolution_x4", "defocus_deblur")
    for short in shorts:
        assert handles.locate(short) == PRESETS_FOLDER / f"indi_small_{short}"
    assert handles.locate("indi_jpeg_q15") == PRESETS_FOLDER / "indi_jpeg_q15"
    assert card("jpeg") == card("indi_small_jpeg")
    for wrong, near in (("jpg", "jpeg"), ("indi_smal_jpeg", "indi_small_jpeg")):
        with pytest.raises(ValueError, match=f"Did you mean '{near}'.*Received: "):
            InDI.from_preset(wrong)
    with pytest.raises(ValueError, match="No preset has this name. A preset is"):
        handles.locate("small")


@pytest.mark.backend_free
@pytest.mark.parametrize("name", ["motion_deblur", "indi_small_motion_deblur"])
def test_a_removed_preset_says_what_to_do_without_it(name, tmp_path, monkeypatch):
    with pytest.raises(ValueError, match=rf"was removed.*Received: preset='{name}'"):
        InDI.from_preset(name)
    monkeypatch.chdir(tmp_path)
    InDI(tiny_unet()).save_to_preset(name)  # a folder of that name is the user's own
    assert handles.locate(name) == pathlib.Path(name)


@pytest.mark.backend_free
def test_saving_and_loading_read_no_shipped_preset(tmp_path, monkeypatch):
    read = []
    monkeypatch.setattr(handles, "read_json", lambda path: read.append(path) or {})
    assert len(list_presets()) == len(read) > 5
    read.clear()
    model = InDI(tiny_unet())
    model.save(tmp_path / "model.keras")
    keras.saving.load_model(tmp_path / "model.keras")
    model.save_to_preset(tmp_path / "preset")
    InDI.from_preset(tmp_path / "preset")
    assert read == []


@pytest.mark.backend_free
@pytest.mark.parametrize("name", ARCHITECTURES)
def test_architectures_keep_what_the_paper_states(name):
    metadata = InDI.presets[name]
    assert PAPER.items() <= metadata["training"].items()
    assert {"crop_size", "batch_size", "data"} <= metadata["training"].keys()
    assert "ours" in card(name) and "load_weights=False" in card(name)
    model = InDI.from_preset(name, load_weights=False, base_channels=4)
    assert (not model.noise_schedule.is_zero) == ARCHITECTURES[name]
    assert model.time_distribution == keras_indi.schedules.UniformTime()
    assert model.restore_defaults["num_steps"] > 1
    assert metadata["training"]["crop_size"] % model.backbone.size_multiple == 0
    image = smooth_images(1, 16, 16)[0].astype("uint8")
    restored = model.restore(image, num_steps=1, seed=0, scale=1)
    if model.noise_schedule.is_zero:  # an untrained network gives back what it takes
        np.testing.assert_array_equal(restored, image)
    else:  # the paper's 0.01 is 1.275 grey levels
        image = np.full((64, 64, 3), 128, "float32")
        noise = model.restore(image, num_steps=1, seed=0, scale=1) - image
        assert np.std(noise) == pytest.approx(1.275, rel=0.03)
    with pytest.raises(ValueError, match="without weights.*`load_weights=False`"):
        InDI.from_preset(name)


@pytest.mark.backend_free
def test_degradations_of_the_architectures():
    def degradation(name):
        return degradations.get(InDI.presets[name]["degradation"])

    assert degradation("indi_jpeg_q15").quality == 15
    small = degradation("indi_super_resolution_x4")
    assert (small.factor, small.enlarge, small.reduction) == (4, True, 1)
    for name in ("indi_super_resolution_x4", "indi_small_super_resolution_x4"):
        assert InDI.presets[name]["scale"] == 4
        assert InDI.from_preset(name, load_weights=False, base_channels=4).scale == 4
    assert InDI.presets["indi_super_resolution_x4"]["training"]["crop_size"] == 256
    generation = InDI.presets["indi_celeba_64_generation"]["training"]
    assert generation["crop_size"] == 64
    assert degradation("indi_celeba_64_generation") == degradations.PureNoise()


@pytest.mark.backend_free
def test_trained_presets_are_small():
    sizes = {name: InDI.presets[name]["weights_bytes"] for name in TRAINED}
    assert all(size <= 8e6 for size in sizes.values()), sizes
    assert sum(sizes.values()) <= 40e6, sizes
    for name, size in sizes.items():
        path = PRESETS_FOLDER / name / "model.weights.h5"
        assert path.stat().st_size == size


@pytest.mark.parametrize("name", TRAINED)
def test_trained_presets_load_and_say_what_they_are(name):
    metadata = InDI.presets[name]
    told = {"description", "task", "license", "training_data", "degradation"}
    assert told | {"training", "held_out_scores"} <= metadata.keys()
    model = InDI.from_preset(name)
    image = smooth_images(1, 32, 40, seed=7)[0]
    restored = model.restore(image, seed=0)
    assert restored.shape == (32 * model.scale, 40 * model.scale, 3)
    image = resize(image, *restored.shape[:2], "bilinear")
    assert 0 < np.abs(restored - image).mean() < 64


@functools.lru_cache(1)
def noisy(name):
    """A preset with noise, whose tiles' estimate is compiled once for all samplers."""
    return InDI.from_preset(name, noise_schedule=0.02)


def presets_and_samplers():
    """On each backend a sampler a preset, on one all: compiling takes long."""
    for index, name in enumerate(TRAINED):
        for number, sampler in enumerate(SAMPLERS):
            # The tiles of a network that sees far are large.
            fast = number == index % len(SAMPLERS) and name != "indi_small_blind"
            marks = [] if fast else pytest.mark.slow
            yield pytest.param(name, sampler, marks=marks)


@pytest.mark.parametrize("name, sampler", presets_and_samplers())
def test_trained_presets_restore_in_tiles_as_whole(name, sampler):
    model = noisy(name)
    reach, multiple = model.receptive_field // 2, model.size_multiple
    side = 2 * math.ceil(reach / multiple) * multiple + 2 * multiple  # a small tile
    # Three tiles high and wide.
    height, width = side + 4 * multiple + 1, side + 4 * multiple + 3
    image = smooth_images(1, height, width, seed=7)[0]
    options = {"num_steps": 2, "sampler": sampler, "scale": 1, "seed": 0}
    whole, tiled = (
        model.restore(image, tile_size=size, verbose=0, **options)
        for size in (None, side)
    )
    np.testing.assert_allclose(tiled, whole, atol=1e-5 * 255)
    assert np.abs(whole - image).mean() > 0.1
