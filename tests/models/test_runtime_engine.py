"""`restore` with the network computed by another runtime than the backend."""

import keras
import numpy as np
import pytest
from helpers import full_strength, small_network, smooth_images, tiny_unet

from keras_indi.backend import several_devices
from keras_indi.backend.runtimes import BUILTIN
from keras_indi.models import ConditionalDDPM, InDI, load_restorer, runtime_engine
from keras_indi.models.loading import in_dtype
from keras_indi.schedules.noise_schedule import BrownianNoise

RANGE_SHARE = 1e-4 * 255
tensorflow_alone = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="converts in this process"
)


def needs(*modules):
    for module in (*modules, "tensorflow", "tf2onnx"):
        pytest.importorskip(module, reason="needs the extras tensorflow and onnx")


@pytest.fixture(params=BUILTIN)
def engine(request):
    needs(request.param)
    return request.param


@pytest.fixture(scope="module")
def model():
    """One for all, as from JAX and PyTorch a conversion takes long."""
    network = tiny_unet(gain=0.3, condition_on_degraded=True)
    return InDI(network, noise_schedule=BrownianNoise(0.2), scale=2, seed=0)


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
    images = smooth_images(2, *sizes)
    assert_alike(model, images, engine, **arguments)


def test_images_of_several_sizes_and_weights_that_change(model, engine, monkeypatch):
    images = [smooth_images(1, *size)[0] for size in [(5, 8), (12, 3), (5, 7)]]
    before = assert_alike(model, images, engine)
    kept = model.backbone.get_weights()
    with monkeypatch.context() as patch:  # nothing is converted again
        patch.setattr(runtime_engine, "_network", None)
        assert_alike(model, images[0].astype("uint8"), engine, 1, num_steps=3)
    full_strength(model.backbone, seed=1, gain=0.3)
    after = assert_alike(model, images, engine)
    model.backbone.set_weights(kept)
    assert np.abs(after[0] - before[0]).max() > 10


@tensorflow_alone
def test_denoising_diffusion_and_a_network_of_ones_own(engine):
    images = smooth_images(2, 6, 8)
    network = tiny_unet(gain=0.3, condition_on_degraded=True)
    diffusion = ConditionalDDPM(network, value_range=(0, 255), seed=0)
    for sampler in ("ancestral", "ddim"):
        assert_alike(diffusion, images, engine, num_steps=3, sampler=sampler)
    assert_alike(InDI(small_network(), noise_schedule=0.1, seed=0), images, engine)
    # Its compiled functions are thrown away; so is what a runtime computes.
    diffusion.value_range = (0, 510)
    assert_alike(diffusion, images, engine)


@tensorflow_alone
def test_bfloat16():
    needs("openvino")
    images = smooth_images(2, 16, 12)
    exact = InDI(tiny_unet(gain=0.3), noise_schedule=0.1, seed=0)
    rounded = in_dtype(exact, "bfloat16")
    expected = exact.restore(images, 2, seed=1)
    found = rounded.restore(images, 2, seed=1, engine="openvino")
    np.testing.assert_allclose(found, expected, atol=8)
    with pytest.raises(ValueError, match="float32: load.*Received: .*bfloat16"):
        rounded.restore(images, engine="onnxruntime")


def test_what_is_wrong_is_said_before_any_work(model, monkeypatch):
    images = smooth_images(1, 5, 8)
    monkeypatch.setattr(runtime_engine, "_network", None)
    with pytest.raises(ValueError, match="Did you mean 'openvino'.*Received: engine="):
        model.restore(images, engine="openvno")
    with pytest.raises(ValueError, match="Did you mean 'onnxruntime'.*Received: engin"):
        load_restorer("no_such_preset", engine="onnx_runtime")
    for name in BUILTIN:
        with monkeypatch.context() as patch:
            patch.setattr("importlib.util.find_spec", lambda module: None)
            with pytest.raises(ImportError, match=rf'install "keras-indi\[{name}\]"'):
                model.restore(images, engine=name)
    needs("onnxruntime")
    with pytest.raises(ValueError, match="sampler.*Received: sampler='hun'"):
        model.restore(images, sampler="hun", engine="onnxruntime")
    with monkeypatch.context() as patch:
        patch.setattr(several_devices, "num_devices", lambda variables: 2)
        with pytest.raises(ValueError, match="alone. Received.*on 2 devices"):
            model.restore(images, engine="onnxruntime")
