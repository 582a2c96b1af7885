"""A network that OpenVINO computes."""

import pathlib

import numpy as np

from keras_indi.optional_packages import optional_import

PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}


class OpenVINONetwork:
    """A network from an ONNX file, computed on the CPU.

    Args:
        path: `pathlib.Path` of the file, which is read once.
        dtype: `"float32"` or `"bfloat16"`, in which it is computed.
    """

    dtypes = tuple(PRECISIONS)

    def __init__(self, path: pathlib.Path, dtype: str) -> None:
        name = "openvino"
        openvino = optional_import("openvino", name, f"engine={name!r}")
        # By itself it would choose bfloat16 where the processor can.
        precision = {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype]}
        self._network = openvino.Core().compile_model(path, "CPU", precision)

    def __call__(self, inputs: dict[str, np.ndarray]) -> np.ndarray:
        """Return the network's output for a dict of its inputs."""
        return self._network(inputs)[0]
