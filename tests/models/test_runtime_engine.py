"""`restore` with the network computed by another runtime than the backend."""

import keras
import numpy as np
import pytest
from helpers import full_strength, small_network, smooth_images, tiny_unet

from keras_indi import layers
from keras_indi.backend import runtimes, several_devices
from keras_indi.models import ConditionalDDPM, InDI, load_restorer, runtime_engine
from keras_indi.models.loading import in_dtype
from keras_indi.schedules.noise_schedule import BrownianNoise

RANGE_SHARE = 1e-4 * 255


@pytest.fixture(params=runtimes.RUNTIMES)
def engine(request):
    for module in (request.param, "onnx"):
        pytest.importorskip(module, reason=f"needs the extra {request.param}")
    return request.param


@pytest.fixture(scope="module")
def model():
    network = tiny_unet(gain=0.3, condition_on_degraded=True)
    return InDI(network, noise_schedule=0.2, scale=2, seed=0)


def assert_alike(model, images, engine, atol=RANGE_SHARE, **arguments):
    """Both restore alike; returns what the backend restores."""
    arguments = {"num_steps": 2, "seed": 1, **arguments}
    expected = model.restore(images, **arguments)
    found = model.restore(images, engine=engine, **arguments)
    pairs = [(found, expected)]
    if isinstance(images, list):
        pairs = list(zip(found, expected, strict=True))
    for each, wanted in pairs:
        assert each.shape == wanted.shape and each.dtype == wanted.dtype
        np.testing.assert_allclose(each, wanted, atol=atol)
    return expected


@pytest.mark.parametrize(
    "arguments",
    [
        {"num_steps": 1},
        {"num_steps": 3, "sampler": "heun", "time_grid": "cosine"},
        {"num_steps": 3, "sampler": "multistep", "time_shift": 1.5},
        {"sampler": "cold_diffusion", "return_trajectory": True},
        {"scale": 1, "num_samples": 2, "batch_size": 3},
        {"tile_size": 64, "sampler": "heun"},
        {"tile_size": 64, "tile_overlap": 8, "time_shift": 1.3},
        {"fixed_shapes": True, "max_memory": 2**28},
    ],
    ids=str,
)
def test_the_result_is_that_of_the_backend(model, engine, arguments):
    sizes = (37, 41) if "tile_size" in arguments else (5, 8)
    assert_alike(model, smooth_images(2, *sizes), engine, **arguments)


def test_images_of_several_sizes_and_weights_that_change(model, engine, monkeypatch):
    images = [smooth_images(1, *size)[0] for size in [(5, 8), (12, 3), (5, 7)]]
    before = assert_alike(model, images, engine)
    kept = model.backbone.get_weights()
    with monkeypatch.context() as patch:  # nothing is converted again
        patch.setattr(runtime_engine, "ONNXNetwork", None)
        assert_alike(model, images[0].astype("uint8"), engine, 1, num_steps=3)
    full_strength(model.backbone, seed=1, gain=0.3)
    after = assert_alike(model, images, engine)
    model.backbone.set_weights(kept)
    assert np.abs(after[0] - before[0]).max() > 10


@pytest.mark.parametrize(
    "arguments",
    [
        {"patch_size": 2, "activation": "relu"},
        {"channel_multipliers": (1, 2, 3), "blocks_per_level": (1, 1, 2)},
        {"channel_multipliers": (2,), "image_channels": 1, "activation": "tanh"},
    ],
    ids=str,
)
def test_networks_of_each_kind(engine, arguments):
    arguments = {"blocks_per_level": 2, **arguments}
    network = tiny_unet(gain=0.3, **arguments)
    # Noise is added at each step.
    model = InDI(network, noise_schedule=BrownianNoise(0.1), seed=0)
    images = smooth_images(2, 9, 14, model.image_channels)
    expected = assert_alike(model, images, engine, time_shift=1.2)
    assert np.abs(expected - images).max() > 5


@pytest.mark.parametrize("sampler", ["ancestral", "ddim"])
def test_denoising_diffusion(engine, sampler):
    network = tiny_unet(gain=0.3, condition_on_degraded=True)
    model = ConditionalDDPM(network, seed=0)
    images = smooth_images(2, 6, 8)
    assert_alike(model, images, engine, num_steps=3, sampler=sampler)
    model.value_range = (0, 510)  # throws away what is compiled
    assert_alike(model, images, engine, num_steps=3, sampler=sampler)


def test_bfloat16(engine):
    images = smooth_images(2, 16, 12)
    exact = InDI(tiny_unet(gain=0.3), noise_schedule=0.1, seed=0)
    rounded = in_dtype(exact, "bfloat16")
    if engine == "onnxruntime":
        with pytest.raises(ValueError, match="float32: load.*Received: .*bfloat16"):
            rounded.restore(images, engine=engine)
        return
    expected = exact.restore(images, 2, seed=1)
    found = rounded.restore(images, 2, seed=1, engine=engine)
    np.testing.assert_allclose(found, expected, atol=8)


@pytest.mark.backend_free
def test_what_is_not_there_is_said_before_any_work(model, monkeypatch):
    images = smooth_images(1, 5, 8)
    with pytest.raises(ValueError, match="Did you mean 'openvino'.*Received: engine="):
        model.restore(images, engine="openvno")
    with pytest.raises(ValueError, match="Did you mean 'onnxruntime'.*Received: engin"):
        load_restorer("no_such_preset", engine="onnx_runtime")
    monkeypatch.setattr("importlib.util.find_spec", lambda module: None)
    for name in runtimes.RUNTIMES:
        with pytest.raises(ImportError, match=rf'install "keras-indi\[{name}\]"'):
            model.restore(images, engine=name)


class OwnLayer(keras.layers.Layer):
    """A layer, which runtimes do not know."""

    def call(self, inputs):
        return inputs["images"]


def own_network(kind):
    """A network of the package's layers, in another arrangement than a backbone's."""
    images = keras.Input((None, None, 3), name="images")
    times = keras.Input((), name="times")
    outputs = layers.FastConv2D(3)(images)
    if kind == "shared":
        layer = layers.FastConv2D(3)
        outputs = layer(layer(outputs))
    elif kind == "embeddings":
        for _ in range(2):
            embedding = layers.TimeEmbedding(8)(times)
            outputs = layers.ResidualBlock(3)(outputs, embedding)
    else:
        pairs = keras.layers.Concatenate(axis=1)([outputs, outputs])
        pairs = keras.layers.Concatenate(axis=2)([pairs, pairs])
        outputs = layers.DownsampleBlock(3)(pairs)
    return keras.Model({"images": images, "times": times}, outputs)


def test_what_does_not_suit(model, engine, monkeypatch):
    images = smooth_images(1, 5, 8)
    with pytest.raises(
        ValueError, match="called once. Export others.*Received: a OwnLayer"
    ):
        InDI(OwnLayer()).restore(images, engine=engine)
    with pytest.raises(ValueError, match="called once. Export others.*Received: a "):
        InDI(small_network()).restore(images, engine=engine)
    network = tiny_unet(activation="gelu")
    with pytest.raises(ValueError, match="silu, relu.*Received: activation=.*gelu"):
        InDI(network).restore(images, engine=engine)
    for own, message in {
        "shared": "each called once.*Received: ",
        "embeddings": "Received: a TimeEmbedding",
        "rows": "channels only. Received: axis=1",
    }.items():
        with pytest.raises(ValueError, match=message):
            InDI(own_network(own)).restore(images, engine=engine)
    monkeypatch.setattr(several_devices, "num_devices", lambda variables: 2)
    with pytest.raises(
        ValueError, match="supports the CPU only. Received.*on 2 devices"
    ):
        InDI(tiny_unet()).restore(images, engine=engine)
