"""Conversion of functions of tensors to files for other runtimes, with TensorFlow.

Only TensorFlow keeps batch, height and width dynamic in every format.
"""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras

from keras_indi.optional_packages import check_installed, optional_import

# An input: its shape, with `None` for dynamic sizes, and its dtype.
InputSpec = tuple[Sequence[int | None], str]
# The newest operator set that all current runtimes support.
ONNX_OPERATORS = 18
# The name of `open_call` in TensorFlow, and the domain of its operator in ONNX.
OPEN_CALL, DOMAIN = "PyFuncStateless", "keras_indi"


def converts_here() -> bool:
    """Return whether the backend in use can convert."""
    return keras.config.backend() == "tensorflow"


def check_exports() -> None:
    """Raise a RuntimeError unless the backend can export dynamic image sizes."""
    if not converts_here():
        raise RuntimeError(
            "`export` of a model works on the TensorFlow backend. "
            "`keras_indi.export.export_model(model, path)` exports from any backend, "
            "in a process of its own on TensorFlow. Received: "
            f"backend={keras.config.backend()!r}"
        )


def check_converter() -> None:
    """Raise an ImportError, with the install command, if TensorFlow is missing."""
    check_installed("tensorflow", "tensorflow", "Exporting, from any backend,")


def trace(
    function: Callable[..., Any], inputs: Mapping[str, InputSpec], output: str
) -> Any:
    """Trace a function of named tensors.

    Args:
        function: Pure function of tensors that returns one tensor.
        inputs: Dict from the arguments' names, in order, to their shapes and dtypes.
        output: String, the name of the output.

    Returns:
        The traced function, for the other functions in this module.
    """
    import tensorflow as tf

    signature = [
        tf.TensorSpec(shape, dtype, name=name)
        for name, (shape, dtype) in inputs.items()
    ]

    # Autograph, for tensors as Python's conditions, would write a file of each function
    # into the system's folder for temporary files, where a killed process leaves them.
    @tf.function(input_signature=signature, autograph=False)
    def named(*tensors):
        return {output: function(*tensors)}

    return named


def write_saved_model(
    traced: Any, variables: Sequence[keras.Variable], folder: str | os.PathLike[str]
) -> None:
    """Write a SavedModel with the signature `serving_default`.

    Args:
        traced: The result of `trace`.
        variables: List of the `keras.Variable` that it reads.
        folder: Path of the folder.
    """
    import tensorflow as tf

    module = tf.Module()
    module.values = [variable.value for variable in variables]
    module.function = traced
    tf.saved_model.save(module, os.fspath(folder), signatures=traced)


def litert_bytes(folder: str | os.PathLike[str], precision: str) -> bytes:
    """Return a LiteRT model (".tflite") with the signature `serving_default`.

    Args:
        folder: Path of a SavedModel from `write_saved_model`. Other sources give the
            file no signature.
        precision: `"float32"`, or `"float16"` or `"int8"` for the weights.
    """
    import tensorflow as tf

    converter = tf.lite.TFLiteConverter.from_saved_model(os.fspath(folder))
    if precision != "float32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "float16":
        converter.target_spec.supported_types = [tf.float16]
    return converter.convert()


def onnx_model(traced: Any) -> Any:
    """Convert the result of `trace` to an ONNX `ModelProto`."""
    tf2onnx = optional_import("tf2onnx.convert", "onnx", "Exporting to ONNX")
    operations = traced.get_concrete_function().graph.get_operations()
    calls = [found.outputs[0] for found in operations if found.type == OPEN_CALL]
    model, _ = tf2onnx.from_function(
        traced,
        input_signature=traced.input_signature,
        opset=ONNX_OPERATORS,
        custom_ops={OPEN_CALL: DOMAIN},
        # It cannot infer this.
        shape_override={call.name: call.shape.as_list() for call in calls} or None,
    )
    return model


def open_call(tensors: Sequence[Any]) -> Any:
    """Insert a placeholder call, which `fill_calls` replaces in ONNX.

    Args:
        tensors: List of the function's arguments. The result is float32 and has the
            shape of the first.
    """
    import tensorflow as tf

    # It is traced and converted, and never runs.
    result = tf.numpy_function(_never, tensors, tf.float32, stateful=False)
    result.set_shape(tensors[0].shape)
    return result


def fill_calls(model: Any, function: Any) -> Any:
    """Replace each `open_call` by an ONNX model, with shared weights.

    Conversion time grows with the square of the model's size. So a sampler of many
    steps is converted without its network, and the network is converted once.

    Args:
        model: ONNX `ModelProto` with placeholder calls.
        function: ONNX `ModelProto` of the function, with its inputs in order.

    Returns:
        ONNX `ModelProto`.
    """
    onnx = optional_import("onnx", "onnx", "Exporting to ONNX")
    inliner = optional_import("onnx.inliner", "onnx", "Exporting to ONNX")
    name = "network"
    weights = []
    for tensor in function.graph.initializer:
        weights.append(tensor.name)
        model.graph.initializer.add().CopyFrom(tensor)
        model.graph.initializer[-1].name = f"{name}/{tensor.name}"
    model.functions.append(
        onnx.helper.make_function(
            DOMAIN,
            name,
            [*(value.name for value in function.graph.input), *weights],
            [value.name for value in function.graph.output],
            function.graph.node,
            function.opset_import,
        )
    )
    for node in model.graph.node:
        if node.op_type == OPEN_CALL:
            del node.attribute[:]
            node.op_type, node.domain = name, DOMAIN
            node.input.extend(f"{name}/{weight}" for weight in weights)
    versions = {entry.domain for entry in model.opset_import}
    if DOMAIN not in versions:
        model.opset_import.append(onnx.helper.make_opsetid(DOMAIN, 1))
    model = inliner.inline_local_functions(model)
    kept = [entry for entry in model.opset_import if entry.domain != DOMAIN]
    del model.opset_import[:]
    model.opset_import.extend(kept)
    return model


def _never(*arrays):
    raise NotImplementedError
