"""Which backends can do what this package asks of them."""

import keras


def check_supported() -> None:
    """Raise a ValueError on a backend that cannot train or restore.

    Keras's own backend for OpenVINO trains nothing, and the graphs that it makes of
    these networks are slow there; those that come by way of ONNX are not.
    """
    if keras.config.backend() == "openvino":
        raise ValueError(
            "keras_indi runs on TensorFlow, JAX and PyTorch: set KERAS_BACKEND to one "
            "of them. OpenVINO runs what `keras-indi export PRESET restorer.xml` "
            "writes. Received: KERAS_BACKEND='openvino'"
        )
