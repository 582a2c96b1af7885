"""A network that ONNX Runtime computes."""

import pathlib

import numpy as np

from keras_indi.optional_packages import optional_import


class ONNXRuntimeNetwork:
    """A network from an ONNX file, computed on the CPU in float32.

    Args:
        path: `pathlib.Path` of the file, which is read once.
        dtype: `"float32"`.
    """

    dtypes = ("float32",)

    def __init__(self, path: pathlib.Path, dtype: str) -> None:
        name = "onnxruntime"
        onnxruntime = optional_import("onnxruntime", name, f"engine={name!r}")
        self._session = onnxruntime.InferenceSession(path)

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the network's output for a dict of its inputs."""
        return self._session.run(None, inputs)[0]
