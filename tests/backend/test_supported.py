"""Backends of Keras that this package does not run on."""

import keras
import pytest
from helpers import small_network, tiny_unet

import keras_indi
from keras_indi.models import InDI


def test_openvino_is_refused_with_what_to_do(monkeypatch):
    network = small_network()
    monkeypatch.setattr(keras.config, "backend", lambda: "openvino")
    said = "TensorFlow, JAX and PyTorch.*keras-indi export.*Received: .*openvino"
    with pytest.raises(ValueError, match=said):
        tiny_unet()
    with pytest.raises(ValueError, match=said):
        InDI(network)
    with pytest.raises(ValueError, match=said):
        keras_indi.load_restorer("jpeg")
