"""Supported backends."""

import keras


def check_supported() -> None:
    """Raise a ValueError on a backend that cannot train or restore.

    Keras's OpenVINO backend cannot train, and its graphs of these networks are slow,
    unlike those converted through ONNX.
    """
    if keras.config.backend() == "openvino":
        raise ValueError(
            "keras_indi runs on TensorFlow, JAX and PyTorch: set KERAS_BACKEND to one "
            "of them. OpenVINO runs what `keras-indi export PRESET restorer.xml` "
            "writes. Received: KERAS_BACKEND='openvino'"
        )
