"""`load_restorer`: any restorer, from a file or a preset, in a precision."""

import re
import warnings
import zipfile

import keras
import numpy as np
import pytest
from helpers import small_network, smooth_images, tiny_unet

import keras_indi
from keras_indi.models import ConditionalDDPM, InDI, load_restorer


def test_a_model_is_loaded_in_a_precision(tmp_path):
    unet = tiny_unet(gain=0.3)
    InDI(unet, seed=0).save(tmp_path / "m.keras")
    image = smooth_images(1, 13, 10)[0]
    exact = InDI(unet).restore(image, 1)
    full = load_restorer(tmp_path / "m.keras", "float32")
    np.testing.assert_allclose(full.restore(image, 1), exact, atol=1e-3)
    half = load_restorer(tmp_path / "m.keras", "bfloat16")
    assert half.backbone.dtype_policy.name == "mixed_bfloat16"
    assert {w.dtype for w in half.weights if "seed" not in w.path} == {"float32"}
    error = np.abs(half.restore(image, 1) - exact)
    assert 1e-3 < error.max() < 10  # of 255, computed in 8 bits of mantissa


def test_only_a_restorer_is_loaded(tmp_path):
    keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)]).save(
        tmp_path / "other.keras"
    )
    with pytest.raises(ValueError, match="must hold a restorer.*Sequential"):
        load_restorer(tmp_path / "other.keras")
    InDI(small_network(), seed=0).save(tmp_path / "own.keras")
    with pytest.raises(ValueError, match="UNetBackbone.*dtype='mixed_bfloat16'"):
        load_restorer(tmp_path / "own.keras", "bfloat16")
    assert load_restorer(tmp_path / "own.keras").backbone.built


IMAGE = smooth_images(1, 13, 10)[0]


def conditional_ddpm():
    unet = tiny_unet(gain=0.3, condition_on_degraded=True)
    return ConditionalDDPM(unet, seed=0)


@pytest.mark.parametrize(
    "build",
    [
        conditional_ddpm,
        lambda: InDI(small_network(), noise_schedule=0.02, value_range=(0, 300)),
    ],
    ids=["ddpm", "functional"],
)
@pytest.mark.parametrize("kind", ["file", "preset"])
def test_any_restorer_is_loaded_as_it_was_saved(build, kind, tmp_path):
    model = build()
    if kind == "file":
        handle = tmp_path / "model.keras"
        model.save(handle)
    else:
        handle = model.save_to_preset(tmp_path / "preset")
    for given in (handle, str(handle)):
        again = load_restorer(given, "float32")
        assert type(again) is type(model)
        assert again.value_range == model.value_range
        np.testing.assert_allclose(
            again.restore(IMAGE, 2, seed=1), model.restore(IMAGE, 2, seed=1), atol=1e-3
        )
    assert type(load_restorer(handle)) is type(model)  # in what is fastest


def test_a_preset_of_a_backbone_becomes_an_indi(tmp_path):
    unet = tiny_unet(gain=0.3)
    folder = unet.save_to_preset(tmp_path / "unet")
    model = load_restorer(folder, "float32")
    assert type(model) is InDI
    np.testing.assert_allclose(
        model.restore(IMAGE, 1), InDI(unet).restore(IMAGE, 1), atol=1e-3
    )


def test_a_file_of_a_backbone_says_how_to_make_a_restorer(tmp_path):
    small_network().save(tmp_path / "backbone.keras")
    with pytest.raises(ValueError, match="InDI.*value_range.*backbone.keras"):
        load_restorer(tmp_path / "backbone.keras")


def test_a_file_with_a_class_that_is_not_imported_says_which(tmp_path):
    registered = keras.saving.get_custom_objects()

    @keras.saving.register_keras_serializable(package="away")
    class Elsewhere(keras_indi.samplers.Sampler):
        def step(self, predict, images, times, next_times, memory):
            return predict(images, times), memory

    model = InDI(tiny_unet(), seed=0, restore_defaults={"sampler": Elsewhere()})
    model.save(tmp_path / "m.keras")
    folder = model.save_to_preset(tmp_path / "preset")
    assert load_restorer(tmp_path / "m.keras").restore_defaults["sampler"] == (
        Elsewhere()
    )
    del registered["away>Elsewhere"]
    for handle in (tmp_path / "m.keras", folder):
        with pytest.raises(ValueError) as error:
            load_restorer(handle)
        said = str(error.value)
        assert "away>Elsewhere" in said and "mport the module" in said
        assert re.search(r"Received: .*(m\.keras|preset)'$", said)


@pytest.mark.parametrize("kept", [0, 100, 3000])
def test_a_damaged_file_is_named(kept, tmp_path):
    InDI(tiny_unet(), seed=0).save(tmp_path / "m.keras")
    whole = (tmp_path / "m.keras").read_bytes()
    (tmp_path / "cut.keras").write_bytes(whole[:kept])
    with pytest.raises(ValueError, match=r"no whole `.keras` file.*cut\.keras'$"):
        load_restorer(tmp_path / "cut.keras")


@pytest.mark.parametrize(
    "name", ["assets/a", "config.json", "model.weights.h5", "metadata.json"]
)
def test_a_file_with_damaged_contents_is_named(name, tmp_path):
    path = tmp_path / "damaged.keras"
    InDI(tiny_unet()).save(path)
    with zipfile.ZipFile(path, "a") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a name that is there twice
        archive.writestr(name, "{}")
        archive.writestr(f"{name}/inner", "{}")  # of what is no folder
    with pytest.raises(ValueError, match=r"cannot be loaded: .*Received: .*damaged"):
        load_restorer(path)


def test_other_files_are_named(tmp_path):
    path = tmp_path / "m.keras"
    InDI(tiny_unet(), seed=0).save(path)
    whole = path.read_bytes()
    with zipfile.ZipFile(tmp_path / "other.keras", "w") as archive:
        archive.writestr("other.txt", "no model")
    other = (tmp_path / "other.keras").read_bytes()
    for content in (b"", b"no archive", whole[: len(whole) // 2], other):
        path.write_bytes(content)
        with pytest.raises(ValueError, match="cannot be loaded: .*Received: .*m.keras"):
            load_restorer(path)
