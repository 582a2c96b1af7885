"""Saving a model as a preset and loading it: the same restorer, on every backend."""

import json
import os
import tempfile

import keras
import numpy as np
import pytest
from golden import make_golden_preset
from helpers import full_strength, pairs, small_network, smooth_images, tiny_unet
from keras import ops

import keras_indi
from keras_indi.models import InDI, UNetBackbone
from keras_indi.presets import PresetModel
from keras_indi.schedules import (
    BrownianNoise,
    ConstantNoise,
    LinearMixtureTime,
    NoiseSchedule,
    PowerGrid,
)

DEFAULTS = {
    "num_steps": 2,
    "sampler": "multistep",
    "time_grid": PowerGrid(3.0),
    "time_shift": 1.3,
}


def restorer(**kwargs):
    return InDI(
        tiny_unet(condition_on_degraded=True),
        time_distribution=LinearMixtureTime(0.5),
        noise_schedule=0.05,
        value_range=(0, 1),
        seed=4,
        restore_defaults=DEFAULTS,
        **kwargs,
    )


@pytest.fixture(scope="module")
def saved(tmp_path_factory):
    folder = tmp_path_factory.mktemp("presets") / "tiny"
    assert restorer().save_to_preset(folder) == folder
    return folder


@pytest.fixture(scope="module")
def photograph():
    return smooth_images(1, 9, 10, high=1.0)[0]


def content(folder, name):
    return json.loads((folder / name).read_text())


# === The same on every backend ===


def test_a_preset_restores_the_same_image_on_every_backend():
    model = InDI.from_preset(make_golden_preset.FOLDER)
    with np.load(make_golden_preset.RESTORED) as stored:
        image, wanted = stored["image"], stored["restored"]
    np.testing.assert_array_equal(image, make_golden_preset.example())
    found = model.restore(image.astype("float32"), seed=0)
    np.testing.assert_allclose(found, wanted, atol=1e-3 * 255, rtol=0)
    assert np.abs(found - image).mean() > 5  # the weights do something


def test_a_preset_without_a_unit_keeps_its_noise():
    assert "noise_unit" not in content(make_golden_preset.FOLDER, "task.json")["config"]
    assert InDI.from_preset(make_golden_preset.FOLDER).noise_schedule == (
        ConstantNoise(0.04)
    )
    # What is given in its place is meant as today's.
    other = InDI.from_preset(make_golden_preset.FOLDER, noise_schedule=0.02)
    assert other.noise_schedule == ConstantNoise(0.02)


# The stored preset is of version 0.1, whose files name layers as `old_names.py` says.
WRITTEN_SHA256 = "c70f0b1412f0ba4e47cef9b401273257098d7d2693d19d48fb3d0b20fc8653f1"


def test_every_backend_writes_the_same_weights(tmp_path):
    again = InDI.from_preset(make_golden_preset.FOLDER)
    again.save_to_preset(tmp_path / "again", weights_dtype="float16")
    found = content(tmp_path / "again", "metadata.json")
    assert found["weights_sha256"] == WRITTEN_SHA256


# === Round trips ===


def test_the_restorer_comes_back(saved, photograph):
    model, loaded = restorer(), InDI.from_preset(saved)
    for weight, other in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_array_equal(weight, other)
    for name in ("time_distribution", "noise_schedule", "value_range"):
        assert getattr(loaded, name) == getattr(model, name)
    assert dict(loaded.restore_defaults) == dict(model.restore_defaults)
    wanted = model.restore(
        photograph,
        num_steps=2,
        sampler="multistep",
        time_grid=PowerGrid(3.0),
        seed=1,
    )
    np.testing.assert_allclose(
        loaded.restore(photograph, seed=1), wanted, atol=1e-6, rtol=0
    )
    # A preset is no seed: two that were loaded draw different noise.
    assert loaded.seed is None
    other = InDI.from_preset(saved, seed=3)
    assert other.seed == 3


def test_nothing_is_written_outside_the_preset(tmp_path, monkeypatch):
    # A killed process would leave it behind.
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "no such folder"))
    path = InDI(tiny_unet()).save_to_preset(tmp_path / "preset")
    InDI.from_preset(path)


def test_each_class_gets_its_part(saved, tmp_path):
    unet = UNetBackbone.from_preset(saved)
    assert type(unet) is UNetBackbone
    for weight, other in zip(unet.get_weights(), restorer().backbone.get_weights()):
        np.testing.assert_array_equal(weight, other)
    assert type(PresetModel.from_preset(saved)) is InDI

    unet.save_to_preset(tmp_path / "unet")
    assert "task.json" not in os.listdir(tmp_path / "unet")
    assert type(PresetModel.from_preset(tmp_path / "unet")) is UNetBackbone
    around = InDI.from_preset(tmp_path / "unet", noise_schedule=0.01)
    assert around.noise_schedule.eps == 0.01
    np.testing.assert_array_equal(around.get_weights()[0], unet.get_weights()[0])


@keras.saving.register_keras_serializable(package="tests")
class OwnInDI(InDI):
    """A subclass of a user's own."""


@keras.saving.register_keras_serializable(package="tests")
class OtherModel(PresetModel, keras.Model):
    """Another kind of model."""


def test_subclasses(saved, tmp_path):
    assert type(OwnInDI.from_preset(saved)) is OwnInDI
    OwnInDI(tiny_unet()).save_to_preset(tmp_path / "own")
    assert type(InDI.from_preset(tmp_path / "own")) is OwnInDI
    with pytest.raises(ValueError, match="holds InDI around UNetBackbone, and cannot"):
        OtherModel.from_preset(saved)
    assert set(OwnInDI.presets) == set(InDI.presets) and not OtherModel.presets


def test_a_functional_network_of_ones_own(tmp_path, photograph):
    model = InDI(small_network(), value_range=(0, 1))
    model.save_to_preset(tmp_path / "own")
    loaded = InDI.from_preset(tmp_path / "own")
    np.testing.assert_allclose(
        loaded.restore(photograph, num_steps=1),
        model.restore(photograph, num_steps=1),
        atol=1e-6,
    )
    assert type(PresetModel.from_preset(tmp_path / "own")) is InDI
    with pytest.raises(ValueError, match="leave `dtype` out"):
        InDI.from_preset(tmp_path / "own", dtype="mixed_bfloat16")
    with pytest.raises(ValueError, match="cannot be loaded as UNetBackbone"):
        UNetBackbone.from_preset(tmp_path / "own")


@keras.saving.register_keras_serializable(package="tests")
class OwnNetwork(keras.Model):
    """A subclassed network that makes its variables when it is called."""

    def __init__(self, filters=4, **kwargs):
        super().__init__(**kwargs)
        self.filters = filters
        self.first = keras.layers.Conv2D(filters, 3, padding="same")
        self.last = keras.layers.Conv2D(3, 3, padding="same")

    def call(self, inputs):
        return self.last(self.first(inputs["images"]))

    def get_config(self):
        return {**super().get_config(), "filters": self.filters}


@pytest.mark.slow
def test_a_subclassed_network_of_ones_own(tmp_path, photograph):
    network = OwnNetwork(filters=5)
    model = InDI(network, value_range=(0, 1))
    with pytest.raises(ValueError, match="is a built `keras.Model`"):
        model.save_to_preset(tmp_path / "own")
    model.restore(photograph, num_steps=1)
    full_strength(network)
    model.save_to_preset(tmp_path / "own")
    loaded = InDI.from_preset(tmp_path / "own")
    assert loaded.backbone.filters == 5
    np.testing.assert_allclose(
        loaded.restore(photograph, num_steps=1),
        model.restore(photograph, num_steps=1),
        atol=1e-6,
    )


@pytest.mark.parametrize("weights_dtype", ["float16", "float32"])
def test_weights_load_into_variables_of_float32(tmp_path, weights_dtype):
    model = restorer()
    model.save_to_preset(tmp_path / "half", weights_dtype=weights_dtype)
    loaded = InDI.from_preset(tmp_path / "half")
    plain = tiny_unet(seed=9, condition_on_degraded=True)
    plain.load_weights(tmp_path / "half" / "model.weights.h5")
    assert {v.dtype for v in loaded.backbone.variables} == {"float32"}
    for weight, found, other in zip(
        model.backbone.get_weights(),
        loaded.backbone.get_weights(),
        plain.get_weights(),
    ):
        rounded = weight.astype(weights_dtype).astype("float32")
        np.testing.assert_array_equal(found, rounded)
        np.testing.assert_array_equal(other, rounded)


@pytest.mark.slow
def test_half_the_bytes(tmp_path):
    unet = UNetBackbone(base_channels=32, channel_multipliers=(1,))
    full = unet.save_to_preset(tmp_path / "full") / "model.weights.h5"
    half = unet.save_to_preset(tmp_path / "half", None, "float16") / "model.weights.h5"
    saved = full.stat().st_size - half.stat().st_size
    assert saved == pytest.approx(2 * unet.count_params(), rel=0.02)


# === Precision and overrides ===


def test_the_dtype_is_chosen_on_loading(tmp_path, saved):
    unet = tiny_unet(dtype="mixed_bfloat16")
    folder = InDI(unet).save_to_preset(tmp_path / "trained_in_bfloat16")
    assert InDI.from_preset(folder).backbone.compute_dtype == "float32"
    low = InDI.from_preset(saved, dtype="mixed_bfloat16")
    assert low.dtype_policy.name == "mixed_bfloat16"
    stem = low.backbone.get_layer("stem")
    assert (stem.compute_dtype, stem.variable_dtype) == ("bfloat16", "float32")
    np.testing.assert_array_equal(low.get_weights()[0], restorer().get_weights()[0])
    keras.config.set_dtype_policy("mixed_bfloat16")
    assert UNetBackbone.from_preset(saved).compute_dtype == "bfloat16"
    with pytest.raises(ValueError):
        InDI.from_preset(saved, dtype="float12")


@pytest.mark.slow
def test_variables_of_bfloat16(tmp_path):
    unet = tiny_unet(dtype="bfloat16")
    folder = unet.save_to_preset(tmp_path / "low")
    loaded = UNetBackbone.from_preset(folder)
    for variable, other in zip(unet.variables, loaded.variables):
        assert (variable.dtype, other.dtype) == ("bfloat16", "float32")
        np.testing.assert_array_equal(
            ops.convert_to_numpy(ops.cast(variable, "float32")),
            ops.convert_to_numpy(other),
        )
    low = UNetBackbone.from_preset(folder, dtype="bfloat16")
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ops.cast(low.variables[0], "float32")),
        ops.convert_to_numpy(loaded.variables[0]),
    )


@pytest.mark.slow
def test_overrides(saved):
    model = InDI.from_preset(
        saved,
        noise_schedule=BrownianNoise(0.1),
        value_range=(0, 255),
        restore_defaults={"num_steps": 7},
        name="mine",
    )
    assert model.noise_schedule == BrownianNoise(0.1)
    assert model.value_range == (0, 255) and model.name == "mine"
    assert model.restore_defaults["num_steps"] == 7
    with pytest.raises(ValueError, match="lacks .* of shape .*load_weights=False"):
        InDI.from_preset(saved, base_channels=8)
    wide = InDI.from_preset(saved, load_weights=False, base_channels=8)
    assert wide.backbone.base_channels == 8
    assert wide.time_distribution == LinearMixtureTime(0.5)
    unet = UNetBackbone.from_preset(saved, load_weights=False, image_channels=1)
    assert unet.image_channels == 1


def test_overrides_that_do_not_suit(saved):
    with pytest.raises(TypeError, match="'base_channels'.*Received: chanels=3"):
        InDI.from_preset(saved, chanels=3)
    with pytest.raises(TypeError, match="Received: backbone="):
        InDI.from_preset(saved, backbone=tiny_unet())
    with pytest.raises(TypeError, match="Received: noise_schedule=0"):
        UNetBackbone.from_preset(saved, noise_schedule=0)


def test_random_weights_without_loading(saved):
    a, b = (UNetBackbone.from_preset(saved, load_weights=False) for _ in range(2))
    stems = [u.get_layer("stem").get_weights()[0] for u in (a, b)]
    assert np.abs(stems[0] - stems[1]).max() > 0.01
    assert np.abs(stems[0] - restorer().backbone.get_layer("stem").kernel).max() > 0.01


# === Training ===


@pytest.mark.slow
def test_the_weights_that_fit_ended_with_are_saved_alone(tmp_path):
    model = InDI(tiny_unet())
    model.compile(keras_indi.models.AveragedAdam(1e-2), run_eagerly=True)
    degraded, clean = pairs(4, height=8, width=8)
    model.fit(degraded, clean, batch_size=2, verbose=0)
    folder = model.save_to_preset(tmp_path / "trained")
    texts = [(folder / name).read_text() for name in ("config.json", "task.json")]
    assert not any("compile_config" in text or "Adam" in text for text in texts)
    loaded = InDI.from_preset(folder)
    assert not loaded.compiled
    for weight, other in zip(model.get_weights(), loaded.get_weights()):
        np.testing.assert_array_equal(weight, other)
    loaded.compile(run_eagerly=True)
    history = loaded.fit(degraded, clean, batch_size=2, verbose=0)
    assert np.isfinite(history.history["loss"][0])


# === What `restore` does by default ===


def test_restore_walks_as_the_model_says(photograph):
    model = restorer()

    def same(**settings):
        shown = model.restore(photograph, seed=0, **settings)
        full = {**DEFAULTS, **settings}
        return np.array_equal(shown, model.restore(photograph, seed=0, **full))

    assert same() and same(num_steps=1) and same(sampler="indi")
    assert same(time_shift=1.0) and same(time_shift=2)
    states = model.restore(photograph, return_trajectory=True)
    assert len(states) == 3
    listed = model.restore(photograph, time_grid=[1, 0.5, 0.2, 0.1, 0], seed=0)
    wanted = model.restore(
        photograph,
        num_steps=4,
        sampler="multistep",
        time_grid=[1, 0.5, 0.2, 0.1, 0],
        time_shift=1.3,
        seed=0,
    )
    np.testing.assert_array_equal(listed, wanted)

    # A list of times holds for its own number of steps.
    model.restore_defaults = {"time_grid": [1, 0.2, 0], "num_steps": 2}
    for steps, grid in ((2, [1, 0.2, 0]), (3, "uniform")):
        np.testing.assert_array_equal(
            model.restore(photograph, num_steps=steps, seed=0),
            model.restore(photograph, num_steps=steps, time_grid=grid, seed=0),
        )


def test_defaults_are_filled_up_checked_and_saved(tmp_path):
    model = InDI(tiny_unet())
    assert model.restore_defaults["num_steps"] == 10
    assert model.restore_defaults["sampler"] == keras_indi.samplers.InDISampler()
    model.restore_defaults = {"time_grid": [1, 0.5, 0]}
    assert model.restore_defaults["num_steps"] == 2
    model.save(tmp_path / "model.keras")
    loaded = keras.saving.load_model(tmp_path / "model.keras")
    assert dict(loaded.restore_defaults) == dict(model.restore_defaults)
    for wrong in (
        {"steps": 3},
        "indi",
        5,
        {"num_steps": 0},
        {"sampler": "none"},
        {"time_shift": 0},
        {"time_shift": None},
    ):
        with pytest.raises(ValueError, match="Received: "):
            model.restore_defaults = wrong
    with pytest.raises(ValueError, match="has 2 steps"):
        model.restore_defaults = {"time_grid": [1, 0.5, 0], "num_steps": 3}
    assert model.restore_defaults["num_steps"] == 2  # as it was


def test_what_was_saved_before_the_time_shift_has_none():
    golden = make_golden_preset.FOLDER
    assert "time_shift" not in (golden / "task.json").read_text()
    assert InDI.from_preset(golden).restore_defaults["time_shift"] == 1.0
    config = restorer().get_config()
    assert config["restore_defaults"].pop("time_shift") == 1.3
    model = InDI.from_config(config)
    assert model.restore_defaults["time_shift"] == 1.0
    assert model.restore_defaults["time_grid"] == PowerGrid(3.0)


def test_classes_of_a_scope_are_known(tmp_path):
    class Scoped(NoiseSchedule):
        def level(self, times):
            return 0.1 + 0 * times

    with keras.saving.custom_object_scope({"Scoped": Scoped}):
        folder = InDI(tiny_unet(), noise_schedule=Scoped()).save_to_preset(
            tmp_path / "scoped"
        )
        assert isinstance(InDI.from_preset(folder).noise_schedule, Scoped)
