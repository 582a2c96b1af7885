"""LPIPS against a forward in plain PyTorch, and against its authors' scores."""

import json

import keras
import numpy as np
import pytest
from helpers import shared_folder
from metrics.photographs import DEGRADATIONS, noisy, photographs, read

from keras_indi.metrics import LPIPS

CLEAN = photographs((50, 67))
RESTORED = noisy(CLEAN, 25)
NETWORKS = {"alex": 31, "squeeze": 17, "vgg": 16}
FIXTURES = {"alex": (0.7219, 0.1376), "squeeze": (0.7110, 0.1479)}
pretrained = pytest.mark.parametrize("network", FIXTURES)


def real_weights(network):
    return shared_folder("weights", f"lpips_{network}_v0.1.npz")


@pytest.fixture(scope="module")
def random_weights(tmp_path_factory):
    pytest.importorskip("torch")
    from metrics.torch_networks import random_lpips_weights

    folder = tmp_path_factory.mktemp("lpips")

    def write(network):
        path = folder / f"{network}.npz"
        if not path.exists():
            np.savez(path, **random_lpips_weights(network))
        return path

    return write


@pytest.mark.parametrize("network", NETWORKS)
def test_architectures(network, random_weights):
    from metrics.torch_networks import lpips

    path = random_weights(network)
    metric = LPIPS(network, path)
    with np.load(path) as archive:
        arrays = dict(archive)
    # The second size is the least there is.
    for size in (slice(None), slice(NETWORKS[network])):
        clean, restored = CLEAN[:2, size, size], RESTORED[:2, size, size]
        expected = lpips(network, arrays, clean, restored)
        assert expected.min() > 1e-3
        found = metric.per_image(clean, restored)
        assert found.dtype == "float64"
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-6)
    smaller = CLEAN[:1, : NETWORKS[network] - 1]
    with pytest.raises(
        ValueError, match=f"{NETWORKS[network]} pixels .* LPIPS.*Received: clean"
    ):
        metric.per_image(smaller, smaller)


@pretrained
def test_fixtures(network):
    clean, *others = (
        read(shared_folder("weights", "fixtures", name))
        for name in ("ex_ref.png", "ex_p0.png", "ex_p1.png")
    )
    metric = LPIPS(network, real_weights(network))
    found = metric.per_image(np.stack([clean, clean]), np.stack(others))
    np.testing.assert_allclose(found, FIXTURES[network], atol=5e-5)


@pretrained
def test_photographs(network):
    pytest.importorskip("torch")
    from metrics.torch_networks import lpips

    with np.load(real_weights(network)) as archive:
        arrays = dict(archive)
    metric = LPIPS(network, real_weights(network))
    kodak = sorted(shared_folder("data", "kodak24").glob("*.png"))[4]
    for clean in (CLEAN, read(kodak)[None, 100:230, 200:355]):
        restored = noisy(clean, 25)
        expected = lpips(network, arrays, clean, restored)
        found = metric.per_image(clean, restored)
        np.testing.assert_allclose(found, expected, rtol=1e-5)
        half = LPIPS(network, real_weights(network), value_range=(-1, 1))
        found = half.per_image(clean / 127.5 - 1, restored / 127.5 - 1)
        np.testing.assert_allclose(found, expected, rtol=1e-4)


@pytest.mark.slow
@pretrained
@pytest.mark.parametrize("degradation", DEGRADATIONS)
def test_scores_grow_with_the_degradation(network, degradation):
    degrade, strengths = DEGRADATIONS[degradation]
    metric = LPIPS(network, real_weights(network))
    scores = [metric.per_image(CLEAN, degrade(CLEAN, level)) for level in strengths]
    assert np.all(np.diff(scores, axis=0) > 0)


def test_identity_symmetry_batches_and_policies(random_weights):
    metric = LPIPS("squeeze", random_weights("squeeze"))
    assert np.all(metric.per_image(CLEAN, CLEAN) == 0)
    expected = metric.per_image(CLEAN, RESTORED)
    found = metric.per_image(RESTORED, CLEAN)
    np.testing.assert_allclose(found, expected, rtol=1e-5)
    for index in (2, 0, 1):
        metric.update_state(CLEAN[index : index + 1], RESTORED[index : index + 1])
    assert float(metric.result()) == pytest.approx(expected.mean(), rel=1e-5)
    keras.config.set_dtype_policy("mixed_bfloat16")
    again = LPIPS("squeeze", random_weights("squeeze"))
    np.testing.assert_allclose(again.per_image(CLEAN, RESTORED), expected, rtol=1e-6)


def test_in_training(random_weights):
    metric = LPIPS("squeeze", random_weights("squeeze"))
    expected = metric.per_image(CLEAN, RESTORED).mean()
    inputs = keras.Input((None, None, 3))
    layer = keras.layers.Conv2D(3, 1, use_bias=False)
    model = keras.Model(inputs, layer(inputs))
    layer.set_weights([np.eye(3)[None, None]])
    model.compile(keras.optimizers.SGD(0.0), loss="mae", metrics=[metric])
    weights = len(model.trainable_variables)
    history = model.fit(
        RESTORED.astype("float32"), CLEAN.astype("float32"), 2, verbose=0
    ).history
    assert history["lpips_squeeze"][0] == pytest.approx(expected, rel=1e-4)
    assert len(model.trainable_variables) == weights  # the network is not trained


def test_config_round_trip(random_weights):
    metric = LPIPS("alex", random_weights("alex"), (0, 1), name="mine")
    saved = json.loads(json.dumps(keras.saving.serialize_keras_object(metric)))
    again = keras.saving.deserialize_keras_object(saved)
    assert again.get_config() == metric.get_config()
    clean, restored = CLEAN / 255, RESTORED / 255
    np.testing.assert_array_equal(
        again.per_image(clean, restored), metric.per_image(clean, restored)
    )


def test_what_is_refused(random_weights):
    with pytest.raises(ValueError, match="one of .*alex.*Received: network='resnet'"):
        LPIPS("resnet")
    metric = LPIPS("squeeze", random_weights("squeeze"))
    with pytest.raises(ValueError, match="3 channels.*Received: clean of shape"):
        metric.per_image(CLEAN[..., :1], RESTORED[..., :1])
    with pytest.raises(ValueError, match="one shape"):
        metric.per_image(CLEAN, RESTORED[:, :40])
