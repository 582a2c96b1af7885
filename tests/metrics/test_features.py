"""Inception-v3's features against a forward in plain PyTorch."""

import keras
import numpy as np
import pytest
from helpers import shared_folder
from metrics.photographs import photographs, read

from keras_indi.metrics import InceptionV3Features

IMAGES = photographs((60, 45))


@pytest.fixture(scope="module")
def official(tmp_path_factory):
    """Random weights in pytorch-fid's layout: the file, and the reference network."""
    torch = pytest.importorskip("torch")
    from metrics.torch_networks import Inception

    reference = Inception()
    reference(IMAGES[:1], 2048)
    path = tmp_path_factory.mktemp("inception") / "pt_inception.pth"
    torch.save({**reference.arrays, "fc.bias": torch.zeros(1008)}, path)
    return path, Inception(reference.arrays)


@pytest.mark.parametrize("dimensions", [768, 2048])
def test_architecture(dimensions, official):
    path, reference = official
    extractor = InceptionV3Features(dimensions, path)
    assert extractor.name == f"inception_v3_{dimensions}"
    expected = reference(IMAGES, dimensions)
    found = extractor.predict_on_batch(IMAGES)
    assert found.shape == expected.shape == (len(IMAGES), dimensions)
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-4 * expected.max())


def shared_weights():
    return shared_folder("weights", "inception_fid768_fp16.npz")


def test_true_weights():
    pytest.importorskip("torch")
    from metrics.torch_networks import Inception, pytorch_names

    with np.load(shared_weights()) as archive:
        arrays = pytorch_names(archive)
    file = sorted(shared_folder("data", "kodak24").glob("*.png"))[4]
    # Smaller and larger than the network's 299x299.
    for images in (IMAGES, read(file)[None, :350, :420]):
        expected = Inception(arrays, folded=True)(images, 768)
        for value_range, scaled in (((0, 255), images), ((0, 1), images / 255)):
            extractor = InceptionV3Features(768, shared_weights(), value_range)
            found = extractor.predict_on_batch(scaled.astype("float32"))
            error = np.linalg.norm(found - expected, axis=1)
            assert np.all(error < 1e-5 * np.linalg.norm(expected, axis=1))
            np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-5)


def test_policies_and_configs_change_nothing():
    extractor = InceptionV3Features(768, str(shared_weights()), name="mine")
    expected = extractor.predict_on_batch(IMAGES[:1])
    keras.config.set_dtype_policy("mixed_bfloat16")
    again = InceptionV3Features.from_config(extractor.get_config())
    assert again.name == "mine" and not again.trainable_variables
    np.testing.assert_allclose(again.predict_on_batch(IMAGES[:1]), expected, rtol=1e-6)


def test_the_small_archive_has_no_2048_dimensions():
    with pytest.raises(ValueError, match="no `Mixed_7a.*Received: "):
        InceptionV3Features(2048, shared_weights())


def test_dimensions_are_checked_first():
    with pytest.raises(ValueError, match="Received: dimensions=192"):
        InceptionV3Features(192, "absent.npz")
