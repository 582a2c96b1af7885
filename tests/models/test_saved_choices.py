"""What a file carries from one backend to another, and what it must not."""

import keras
import numpy as np
import pytest
from helpers import full_strength, small_network, smooth_images

from keras_indi.models import ConditionalDDPM, InDI, UNetBackbone

SIZES = {"size_multiple": 2, "receptive_field": 7}


def halving_network(condition_on_degraded=False):
    """Convolves at half resolution: it takes even sizes, and sees 3 pixels far."""
    names = ["images", "degraded"] if condition_on_degraded else ["images"]
    inputs = {name: keras.Input((None, None, 3), name=name) for name in names}
    x = keras.layers.AveragePooling2D(2)(inputs[names[-1]])
    x = keras.layers.Conv2D(3, 3, padding="same", activation="tanh")(x)
    x = keras.layers.UpSampling2D(2)(x)
    outputs = 0.5 * (x + inputs["images"])
    inputs["times"] = keras.Input((), name="times")
    return full_strength(keras.Model(inputs, outputs))


def build(model_class, **kwargs):
    network = halving_network(condition_on_degraded=model_class is ConditionalDDPM)
    return model_class(network, seed=0, **kwargs)


def told_by_attributes(model_class):
    model = build(model_class)
    for name, value in SIZES.items():
        setattr(model.backbone, name, value)
    return model


def told_by_arguments(model_class):
    return build(model_class, **SIZES)


@pytest.mark.parametrize("kind", ["file", "preset"])
@pytest.mark.parametrize("make", [told_by_arguments, told_by_attributes])
@pytest.mark.parametrize("model_class", [InDI, ConditionalDDPM])
def test_the_sizes_of_a_network_are_saved(model_class, make, kind, tmp_path):
    model = make(model_class)
    if kind == "file":
        model.save(tmp_path / "model.keras")
        again = keras.saving.load_model(tmp_path / "model.keras")
    else:
        again = model_class.from_preset(model.save_to_preset(tmp_path / "preset"))
    assert not hasattr(again.backbone, "size_multiple")
    assert (again.size_multiple, again.receptive_field) == (2, 7)
    image = smooth_images(1, 27, 21)[0]  # of no size that the network takes
    options = {"num_steps": 2, "seed": 1}
    whole = model.restore(image, tile_size=None, **options)
    np.testing.assert_allclose(
        again.restore(image, tile_size=16, **options), whole, atol=1e-3
    )


def test_the_networks_own_sizes_hold_where_none_are_given():
    unet = UNetBackbone(base_channels=4, channel_multipliers=(1, 1))
    model = InDI(unet)
    assert model.size_multiple == unet.size_multiple == 2
    assert model.receptive_field == unet.receptive_field
    assert model.get_config()["size_multiple"] is None  # found again, not saved
    model = InDI(small_network())
    assert (model.size_multiple, model.receptive_field) == (1, None)
    with pytest.raises(ValueError, match="arguments of the model. Received: backbone"):
        model.restore(smooth_images(1)[0], tile_size=8)
    model.receptive_field = 5
    image = smooth_images(1, 20, 20)[0]
    tiled, whole = (model.restore(image, 2, tile_size=size) for size in (8, None))
    np.testing.assert_allclose(tiled, whole, atol=1e-3)


def test_a_new_network_has_its_own_sizes():
    model = InDI(halving_network(), **SIZES)
    model.backbone = small_network()
    assert (model.size_multiple, model.receptive_field) == (1, None)


@pytest.mark.parametrize("name", SIZES)
def test_sizes_are_checked(name):
    with pytest.raises(ValueError, match=f"Received: {name}=0"):
        InDI(small_network(), **{name: 0})


def test_which_compiler_trains_is_not_in_the_file(tmp_path):
    model = InDI(small_network(), seed=0)
    model.compile("adam")
    usual = model.jit_compile
    # Of another backend: without XLA, as TensorFlow on a CPU; or with it, as JAX.
    model.compile("adam", jit_compile=not usual)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    assert again.jit_compile == usual
