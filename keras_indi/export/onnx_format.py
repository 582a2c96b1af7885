"""ONNX, for ONNX Runtime and many other runtimes."""

import dataclasses
import functools
import pathlib
from typing import Any

import numpy as np

from keras_indi.backend.conversion import fill_calls, onnx_model, open_call
from keras_indi.export.export_format import ExportFormat, as_strings
from keras_indi.export.graphs import Graph
from keras_indi.optional_packages import optional_import

# Smaller constants are shapes, frequencies and biases, not convolution kernels.
LEAST_WEIGHTS = 512


class ONNXFormat(ExportFormat):
    """A `.onnx` file.

    It computes in float32. `"float16"` and `"int8"` apply to the stored weights, which
    become float32 when the file is loaded.
    """

    title = "ONNX"
    ending = ".onnx"
    packages = {"tf2onnx": "onnx", "onnx": "onnx"}
    precisions = ("float32", "float16", "int8")
    runtime = "onnxruntime"
    runtime_import = "import onnxruntime"
    runtime_call = """\
session = onnxruntime.InferenceSession(path)
(restored,) = session.run(None, inputs)
"""

    def write(
        self,
        graph: Graph,
        precision: str,
        metadata: dict[str, Any],
        path: pathlib.Path,
    ) -> None:
        onnx = optional_import("onnx", "onnx", "Exporting to ONNX")
        model = self._converted(graph)
        if precision != "float32":
            _store_weights(onnx, model, precision)
        names = {f"keras_indi.{key}": v for key, v in as_strings(metadata).items()}
        onnx.helper.set_model_props(model, names)
        onnx.checker.check_model(model)
        onnx.save(model, path)

    def _converted(self, graph: Graph) -> Any:
        if graph.network is None:
            return onnx_model(self.traced(graph))
        names = list(graph.network.inputs)

        def network(inputs, training=False):
            return open_call([inputs[name] for name in names])

        function = functools.partial(graph.function, network=network)
        model = onnx_model(self.traced(dataclasses.replace(graph, function=function)))
        return fill_calls(model, onnx_model(self.traced(graph.network)))


def _store_weights(onnx: Any, model: Any, precision: str) -> None:
    """Store the weights in fewer bytes, with nodes that convert them to float32."""
    helper, numpy_helper = onnx.helper, onnx.numpy_helper
    stored, nodes = [], []
    for tensor in model.graph.initializer:
        is_float = tensor.data_type == onnx.TensorProto.FLOAT
        values = numpy_helper.to_array(tensor) if is_float else np.zeros(0)
        if values.ndim < 2 or values.size < LEAST_WEIGHTS:
            stored.append(tensor)
            continue
        name = f"{tensor.name}_{precision}"
        if precision == "float16":
            stored.append(numpy_helper.from_array(values.astype("float16"), name))
            nodes.append(helper.make_node("Cast", [name], [tensor.name], to=1))
            continue
        # One scale a filter: ONNX has filters first in convolutions, last in products.
        axis = 0 if values.ndim == 4 else values.ndim - 1
        others = tuple(i for i in range(values.ndim) if i != axis)
        scales = np.abs(values).max(others, keepdims=True) / 127
        scales[scales == 0] = 1
        whole = np.rint(values / scales).astype("int8")
        stored += [
            numpy_helper.from_array(whole, name),
            numpy_helper.from_array(scales.reshape(-1), f"{name}_scales"),
        ]
        inputs = [name, f"{name}_scales"]
        nodes.append(
            helper.make_node("DequantizeLinear", inputs, [tensor.name], axis=axis)
        )
    for field, values in ((model.graph.initializer, stored), (model.graph.node, nodes)):
        values = [*values, *field] if field is model.graph.node else values
        del field[:]
        field.extend(values)
