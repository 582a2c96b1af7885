"""`InDI.export`: the estimate in one step, for programs without Keras."""

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, smooth_images, tiny_unet, to_numpy

from keras_indi.models import InDI

tensorflow_alone = pytest.mark.skipif(
    keras.config.backend() != "tensorflow", reason="exports from TensorFlow"
)


@keras.saving.register_keras_serializable(package="tests")
class OwnLayer(keras.layers.Layer):
    """A layer that is built by its first call and tells nothing of its channels."""

    def build(self, input_shape):
        channels = input_shape["images"][-1]
        self.convolution = keras.layers.Conv2D(channels, 3, padding="same")
        self.convolution.build(input_shape["images"])

    def call(self, inputs):
        times = keras.ops.reshape(inputs["times"], (-1, 1, 1, 1))
        return times * self.convolution(inputs["images"])


def fit(model):
    model.compile("adam")
    model.fit(*pairs(2, height=8, width=8), verbose=0)
    return model


def call(model):
    model(smooth_images(2, 8, 8))
    return model


def restore(model):
    model.restore(smooth_images(1, 7, 9)[0], num_steps=1)
    return model


def networks_and_uses():
    """Each network and each use once; the other pairs are slow to compile."""
    uses = [call, fit, restore]
    for index, network in enumerate([tiny_unet, small_network, OwnLayer]):
        for number, use in enumerate(uses):
            marks = [] if number == index else pytest.mark.slow
            yield pytest.param(network, use, marks=marks)


@tensorflow_alone
@pytest.mark.parametrize("network, after", networks_and_uses())
def test_a_model_is_exported_with_free_sizes(network, after, tmp_path):
    import tensorflow as tf

    model = after(InDI(network(), noise_schedule=0.1, value_range=(0, 300), seed=0))
    model.export(tmp_path / "exported", verbose=False)
    exported = tf.saved_model.load(tmp_path / "exported")
    for shape in [(1, 8, 8), (3, 23, 11), (2, 1, 5)]:
        images = smooth_images(*shape, seed=1)
        expected = to_numpy(model(images))
        np.testing.assert_allclose(exported.serve(images), expected, atol=0.01)
        assert expected.shape == images.shape
        assert np.abs(expected - images).max() > 10  # it does something


@tensorflow_alone
def test_a_loaded_model_is_exported(tmp_path):
    import tensorflow as tf

    model = InDI(tiny_unet(), seed=0)
    model.save(tmp_path / "model.keras")
    again = keras.saving.load_model(tmp_path / "model.keras")
    again.export(tmp_path / "exported", verbose=False)
    images = smooth_images(2, 10, 12)
    exported = tf.saved_model.load(tmp_path / "exported")
    np.testing.assert_allclose(
        exported.serve(images), to_numpy(model(images)), atol=0.01
    )


@tensorflow_alone
def test_what_is_missing_is_said(tmp_path):
    with pytest.raises(ValueError, match="no weights yet.*Received: backbone"):
        InDI(OwnLayer()).export(tmp_path / "exported")
    silent = OwnLayer()
    silent.built = True  # by itself, so that Keras keeps no shapes of it
    with pytest.raises(ValueError, match="image_channels.*input_signature.*Received"):
        InDI(silent).export(tmp_path / "exported")
    assert not (tmp_path / "exported").exists()


@pytest.mark.skipif(keras.config.backend() == "tensorflow", reason="it exports")
def test_another_backend_says_what_to_do(tmp_path):
    with pytest.raises(RuntimeError, match="export_model.*Received: backend="):
        InDI(tiny_unet()).export(tmp_path / "exported")
