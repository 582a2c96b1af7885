"""Runtimes that compute a network instead of the backend, on the CPU."""

from collections.abc import Callable

import numpy as np

from keras_indi.optional_packages import check_installed, optional_import
from keras_indi.validation import checked_choice

# From module names to the supported compute dtypes.
RUNTIMES = {"onnxruntime": ("float32",), "openvino": ("float32", "bfloat16")}
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}

Network = Callable[[dict[str, np.ndarray]], np.ndarray]


def check_runtime(name: str) -> None:
    """Raise an error unless a runtime exists and is installed.

    Args:
        name: String, the argument `engine` of `restore`.

    Raises:
        ValueError: If there is no runtime of this name.
        ImportError: If it is not installed, with the install command.
    """
    checked_choice("engine", name, RUNTIMES)
    for module in (name, "onnx"):
        check_installed(module, name, f"engine={name!r}")


def load_network(name: str, onnx: bytes, dtype: str) -> Network:
    """Load a network into a runtime.

    Args:
        name: String, one of `RUNTIMES`.
        onnx: Bytes of an ONNX file with one output.
        dtype: String, the compute dtype, one that the runtime supports.

    Returns:
        Function from a dict of inputs to the output.
    """
    runtime = optional_import(name, name, f"engine={name!r}")
    if name == "onnxruntime":
        session = runtime.InferenceSession(onnx)
        return lambda inputs: session.run(None, inputs)[0]
    # Its default is bfloat16 on processors that support it.
    hint = {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype]}
    core = runtime.Core()
    network = core.compile_model(core.read_model(onnx), "CPU", hint)
    # One request per call, because several threads may restore. It also frees the
    # memory of a large image.
    return lambda inputs: network.create_infer_request().infer(inputs)[0]
