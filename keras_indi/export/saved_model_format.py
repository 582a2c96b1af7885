"""TensorFlow SavedModel, for TensorFlow Serving and programs in C++, Java and Go."""

import pathlib
from typing import Any

from keras_indi.backend.conversion import write_saved_model
from keras_indi.export.export_format import ExportFormat
from keras_indi.export.graphs import Graph


class SavedModelFormat(ExportFormat):
    """A folder. `"bfloat16"` is the compute dtype of the network."""

    title = "a SavedModel"
    ending = ""
    precisions = ("float32", "bfloat16")
    computes = ("float32", "bfloat16")
    runtime = "tensorflow"
    runtime_import = "import tensorflow as tf"
    runtime_call = """\
run = tf.saved_model.load(path).signatures["serving_default"]
tensors = {name: tf.constant(array) for name, array in inputs.items()}
(restored,) = (tensor.numpy() for tensor in run(**tensors).values())
"""

    def write(
        self,
        graph: Graph,
        precision: str,
        metadata: dict[str, Any],
        path: pathlib.Path,
    ) -> None:
        write_saved_model(self.traced(graph), graph.variables, path)
