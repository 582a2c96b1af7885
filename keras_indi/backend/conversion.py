"""Functions of tensors as files for other programs: traced and written by TensorFlow.

It is the one backend that leaves batch, height and width free in each format.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_indi.optional_packages import check_installed, optional_import

# Of an input: its shape, `None` for free sizes, and its dtype.
InputSpec = tuple[Sequence[int | None], str]
# The newest operators that each runtime of today knows.
ONNX_OPERATORS = 18


def converts_here() -> bool:
    """Bool: whether the backend in use is the one that converts."""
    return keras.config.backend() == "tensorflow"


def check_exports() -> None:
    """Raise a RuntimeError unless the backend exports images of any size."""
    if not converts_here():
        raise RuntimeError(
            "`export` of a model works on the TensorFlow backend. "
            "`keras_indi.export.export_model(model, path)` exports from any backend, "
            "in a process of its own on TensorFlow. Received: "
            f"backend={keras.config.backend()!r}"
        )


def check_converter() -> None:
    """Raise an ImportError, with the command, unless TensorFlow is installed."""
    check_installed("tensorflow", "tensorflow", "Exporting, from any backend,")


def trace(
    function: Callable[..., Any], inputs: Mapping[str, InputSpec], output: str
) -> Any:
    """A function of named tensors, to be written.

    Args:
        function: Pure function of tensors, which returns one.
        inputs: Dict of the arguments' names, in their order, to their shapes and
            dtypes.
        output: String, the name of what it returns.

    Returns:
        What the other functions here take.
    """
    import tensorflow as tf

    signature = [
        tf.TensorSpec(shape, dtype, name=name)
        for name, (shape, dtype) in inputs.items()
    ]

    @tf.function(input_signature=signature)
    def named(*tensors):
        return {output: function(*tensors)}

    return named


def write_saved_model(
    traced: Any, variables: Sequence[keras.Variable], folder: str | os.PathLike[str]
) -> None:
    """Write a SavedModel with the signature `serving_default`.

    Args:
        traced: What `trace` returned.
        variables: List of the `keras.Variable` that it reads.
        folder: Path of the folder.
    """
    import tensorflow as tf

    module = tf.Module()
    module.values = [variable.value for variable in variables]
    module.function = traced
    tf.saved_model.save(module, os.fspath(folder), signatures=traced)


def litert_bytes(folder: str | os.PathLike[str], precision: str) -> bytes:
    """A LiteRT model (".tflite"), which has the signature `serving_default`.

    Args:
        folder: Path of what `write_saved_model` wrote. The other ways in give the
            file no signature.
        precision: `"float32"`, or of the weights `"float16"` or `"int8"`.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(os.fspath(folder))
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def onnx_model(traced: Any) -> Any:
    """An ONNX `ModelProto` of what `trace` returned."""
    tf2onnx = optional_import("tf2onnx.convert", "onnx", "Exporting to ONNX")
    model, _ = tf2onnx.from_function(
        traced, input_signature=traced.input_signature, opset=ONNX_OPERATORS
    )
    return model
