"""Optional packages, imported on use."""

import contextlib
import importlib
import importlib.util
import logging
import sys
import types
from collections.abc import Iterator

# Projects whose name differs from that of the module.
NAMES = {
    "PIL": "Pillow",
    "apache_beam": "Apache Beam",
    "cv2": "OpenCV",
    "gradio": "Gradio",
    "grain": "Grain",
    "keras_cv": "KerasCV",
    "onnx": "ONNX",
    "onnxruntime": "ONNX Runtime",
    "openvino": "OpenVINO",
    "scipy": "SciPy",
    "skimage": "scikit-image",
    "tensorboard": "TensorBoard",
    "tensorflow": "TensorFlow",
    "tensorflow_datasets": "tensorflow-datasets",
    "yaml": "PyYAML",
}
# Telemetry modules: the package forks a process that sends a report on import. It works
# without the module.
REPORTERS = {"openvino": "openvino_telemetry"}


def optional_import(module: str, extra: str, purpose: str) -> types.ModuleType:
    """Import a module of a package that may be missing.

    Args:
        module: Name of the module, such as `"cv2"` or `"PIL.Image"`.
        extra: The extra of keras-indi that installs it, or several, separated by
            commas.
        purpose: The feature that requires it, the subject of the error message.

    Returns:
        The module.

    Raises:
        ImportError: If it is not installed, with the install command.

    Example:

    ```python
    cv2 = optional_import("cv2", extra="data", purpose="Reading images")
    ```
    """
    package = module.partition(".")[0]
    try:
        with _unreported(package), _unwarned(package):
            importlib.import_module(package)
            return importlib.import_module(module)
    except ImportError as error:
        raise _missing(package, extra, purpose) from error


def check_installed(module: str, extra: str, purpose: str) -> None:
    """Raise the error of `optional_import` without importing the package.

    Args:
        module: Name of a top-level module.
        extra: As for `optional_import`.
        purpose: As for `optional_import`.
    """
    if importlib.util.find_spec(module) is None:
        raise _missing(module, extra, purpose)


@contextlib.contextmanager
def _unwarned(package: str) -> Iterator[None]:
    """A context in which Grain does not log that JAX is missing: it is not needed."""
    before = logging.root.manager.disable
    if package == "grain" and package not in sys.modules:
        logging.disable(logging.WARNING)
    try:
        yield
    finally:
        logging.disable(before)


@contextlib.contextmanager
def _unreported(package: str) -> Iterator[None]:
    """A context in which the telemetry module of a package cannot be imported."""
    reporter = REPORTERS.get(package)
    if reporter is None or reporter in sys.modules:
        yield
        return
    sys.modules[reporter] = None  # type: ignore[assignment]
    try:
        yield
    finally:
        del sys.modules[reporter]


def _missing(package: str, extra: str, purpose: str) -> ImportError:
    return ImportError(
        f"{purpose} needs {NAMES.get(package, package)}. Install it: "
        f'pip install "keras-indi[{extra}]"',
        name=package,
    )
