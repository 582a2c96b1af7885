"""Runtimes that compute a network in the backend's place, on the CPU."""

from collections.abc import Callable

import numpy as np

from keras_indi.optional_packages import check_installed, optional_import
from keras_indi.validation import checked_choice

# By the names of their modules: the dtypes in which they compute a network.
RUNTIMES = {"onnxruntime": ("float32",), "openvino": ("float32", "bfloat16")}
PRECISIONS = {"float32": "f32", "bfloat16": "bf16"}

Network = Callable[[dict[str, np.ndarray]], np.ndarray]


def check_runtime(name: str) -> None:
    """Raise an error unless there is such a runtime, and it is installed.

    Args:
        name: String, the argument `engine` of `restore`.

    Raises:
        ValueError: If there is none of this name.
        ImportError: If it is not installed, with the command that installs it.
    """
    checked_choice("engine", name, RUNTIMES)
    for module in (name, "onnx"):
        check_installed(module, name, f"engine={name!r}")


def load_network(name: str, onnx: bytes, dtype: str) -> Network:
    """Load a network into a runtime.

    Args:
        name: String, one of `RUNTIMES`.
        onnx: Bytes of an ONNX file of one output.
        dtype: String, in which it is computed, one of the runtime's.

    Returns:
        Function of a dict of its inputs that returns its output.
    """
    runtime = optional_import(name, name, f"engine={name!r}")
    if name == "onnxruntime":
        session = runtime.InferenceSession(onnx)
        return lambda inputs: session.run(None, inputs)[0]
    # By itself it would choose bfloat16 where the processor can.
    hint = {"INFERENCE_PRECISION_HINT": PRECISIONS[dtype]}
    core = runtime.Core()
    network = core.compile_model(core.read_model(onnx), "CPU", hint)
    # Each call by a request of its own: several threads may restore, and the memory of
    # a large image is free again.
    return lambda inputs: network.create_infer_request().infer(inputs)[0]
