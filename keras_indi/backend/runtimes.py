"""Runtimes that compute a network in the backend's place, by their names."""

from keras_indi.backend.conversion import check_converter
from keras_indi.optional_packages import check_installed
from keras_indi.registry import Registry
from keras_indi.validation import checked_choice

BUILTIN = Registry(
    "keras_indi.backend",
    {
        "onnxruntime": "onnxruntime_network:ONNXRuntimeNetwork",
        "openvino": "openvino_network:OpenVINONetwork",
    },
)


def check_runtime(name: str) -> None:
    """Raise an error unless there is such a runtime, and what it takes is installed.

    Args:
        name: String, the argument `engine` of `restore`.

    Raises:
        ValueError: If there is none of this name.
        ImportError: If a package is missing, with the command that installs it.
    """
    checked_choice("engine", name, BUILTIN)
    purpose = f"engine={name!r}"
    for module in (name, "tf2onnx", "onnx"):
        check_installed(module, name, purpose)
    check_converter(purpose)
