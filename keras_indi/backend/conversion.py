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
# What `open_call` is in TensorFlow, and the domain of the operator that it becomes.
OPEN_CALL, DOMAIN = "PyFuncStateless", "keras_indi"


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
    operations = traced.get_concrete_function().graph.get_operations()
    calls = [found.outputs[0] for found in operations if found.type == OPEN_CALL]
    model, _ = tf2onnx.from_function(
        traced,
        input_signature=traced.input_signature,
        opset=ONNX_OPERATORS,
        custom_ops={OPEN_CALL: DOMAIN},
        # Which it cannot infer.
        shape_override={call.name: call.shape.as_list() for call in calls} or None,
    )
    return model


def open_call(tensors: Sequence[Any]) -> Any:
    """Stand for a call of a function that `fill_calls` puts there, in ONNX alone.

    Args:
        tensors: List of the function's arguments. What it returns has the shape of the
            first and is of float32.
    """
    import tensorflow as tf

    # It is traced and converted, and never runs.
    result = tf.numpy_function(_never, tensors, tf.float32, stateful=False)
    result.set_shape(tensors[0].shape)
    return result


def fill_calls(model: Any, function: Any) -> Any:
    """Put an ONNX model in the place of each `open_call`; their weights are shared.

    The converter's time grows with the square of what it converts, so that a sampler
    of many steps is converted without its network, and the network once.

    Args:
        model: ONNX `ModelProto` with calls.
        function: ONNX `ModelProto` of the function, with inputs in their order.

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
