"""Image layers of Keras and KerasCV as degradations, on each backend."""

import json
import pickle
import sys
from concurrent.futures import ThreadPoolExecutor

import keras
import numpy as np
import pytest

from keras_indi.data.degradations import (
    Compose,
    GaussianNoise,
    JPEGCompression,
    KerasLayerDegradation,
)

IMAGE = np.random.default_rng(0).integers(0, 256, (24, 20, 3)).astype("uint8")
KERAS = [
    lambda: keras.layers.RandomBrightness(0.4),
    lambda: keras.layers.RandomBrightness(0.4, value_range=(0, 1), seed=3),
    lambda: keras.layers.GaussianNoise(0.9),
    lambda: keras.Sequential(
        [keras.layers.RandomContrast(0.5), keras.layers.RandomBrightness(0.2)]
    ),
]


def keras_cv_layers():
    layers = pytest.importorskip("keras_cv").layers
    return [
        lambda: layers.RandomJpegQuality((5, 40)),
        lambda: layers.RandomGaussianBlur(5, (0.5, 2.0)),
        lambda: layers.GridMask(),
        lambda: layers.GridMask(seed=3),
    ]


def check(build):
    item = KerasLayerDegradation(build())
    degraded = item(IMAGE, seed=1)
    assert degraded.shape == IMAGE.shape and degraded.dtype == np.uint8
    np.testing.assert_array_equal(item(IMAGE, seed=1), degraded)
    others = [item(IMAGE, seed) for seed in range(2, 10)]
    assert not all(np.array_equal(other, degraded) for other in others)
    np.testing.assert_array_equal(item(IMAGE, seed=1), degraded)
    # What the layer drew before is of no account, nor which object it is.
    np.testing.assert_array_equal(KerasLayerDegradation(build())(IMAGE, 1), degraded)
    again = pickle.loads(pickle.dumps(item))
    assert again == item and again.layer is not item.layer
    np.testing.assert_array_equal(again(IMAGE, seed=1), degraded)
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(item)))
    again = keras.saving.deserialize_keras_object(serialized)
    np.testing.assert_array_equal(again(IMAGE, seed=1), degraded)


@pytest.mark.parametrize("build", KERAS)
def test_keras_layers(build):
    check(build)


@pytest.mark.parametrize("index", range(4))
@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keras_cv_layers(index):
    check(keras_cv_layers()[index])


def test_a_layer_gets_and_gives_its_own_range():
    """Half the distance to the white of its range, whatever the image's is."""

    @keras.saving.register_keras_serializable(package="tests")
    class Lighten(keras.layers.Layer):
        def __init__(self, white=1.0, **kwargs):
            super().__init__(**kwargs)
            self.white = white
            self.value_range = (0.0, white)

        def call(self, images):
            assert len(images.shape) == 4
            return (images + self.white) / 2

        def get_config(self):
            return {**super().get_config(), "white": self.white}

    expected = IMAGE / 255 / 2 + 0.5
    for white in (1.0, 255.0):
        item = KerasLayerDegradation(Lighten(white))
        np.testing.assert_allclose(item(IMAGE, 0) / 255, expected, atol=0.51 / 255)
        np.testing.assert_allclose(item(IMAGE / 255, 0), expected, atol=1e-5)
        signed = item(IMAGE / 127.5 - 1, 0, value_range=(-1, 1))
        np.testing.assert_allclose((signed + 1) / 2, expected, atol=1e-5)
    # (0, 255) where the layer does not tell, unless the user does.
    plain = keras.layers.Rescaling(1, offset=51)
    found = KerasLayerDegradation(plain)(IMAGE / 255, 0)
    np.testing.assert_allclose(found, IMAGE / 255 + 0.2, atol=1e-5)
    plain = keras.layers.Rescaling(1, offset=0.2)
    found = KerasLayerDegradation(plain, value_range=(0, 1))(IMAGE / 255, 0)
    np.testing.assert_allclose(found, IMAGE / 255 + 0.2, atol=1e-5)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_keras_cvs_jpeg_is_of_the_quality_asked_for():
    """Near to Pillow's; TensorFlow takes a faster transform, so not bit equal."""
    keras_cv = pytest.importorskip("keras_cv")
    rows, columns = np.mgrid[:32, :32]
    image = np.stack([rows * 7, columns * 7, 255 - rows * 3], -1).astype("uint8")
    layer = keras_cv.layers.RandomJpegQuality((30, 30))
    found = KerasLayerDegradation(layer)(image, seed=0).astype("float64")
    errors = {
        quality: np.mean(np.abs(found - JPEGCompression(quality)(image, seed=0)))
        for quality in (10, 20, 30, 45, 60, 90)
    }
    assert min(errors, key=errors.get) == 30 and errors[30] < 1.5


def test_in_a_group_and_in_threads():
    group = Compose([KerasLayerDegradation(KERAS[0](), margin=2), GaussianNoise(5)])
    assert group.margin == 2
    expected = [group(IMAGE, seed) for seed in range(12)]
    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(lambda seed: group(IMAGE, seed), range(12)))
    np.testing.assert_array_equal(found, expected)


def test_what_does_not_fit_is_named():
    for layer in (None, "random_brightness", KerasLayerDegradation):
        with pytest.raises(ValueError, match="Received: layer="):
            KerasLayerDegradation(layer)
    shrinking = KerasLayerDegradation(keras.layers.AveragePooling2D(2))
    with pytest.raises(ValueError, match=r"Received: layer=.*\(12, 10, 3\)"):
        shrinking(IMAGE, seed=0)


def test_a_missing_keras_cv_is_told_with_the_command(monkeypatch):
    config = {
        "module": "keras_cv.src.layers.preprocessing.grid_mask",
        "class_name": "GridMask",
        "config": {},
        "registered_name": "keras_cv>GridMask",
    }
    monkeypatch.setitem(sys.modules, "keras_cv", None)
    with pytest.raises(
        ImportError, match=r'pip install "keras-indi\[cv,tensorflow\]"$'
    ):
        KerasLayerDegradation.from_config({"layer": config})
