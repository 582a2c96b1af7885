"""LiteRT, once TensorFlow Lite: telephones and small computers."""

import pathlib
import tempfile
from typing import Any

from keras_indi.backend.conversion import litert_bytes, write_saved_model
from keras_indi.export.export_format import ExportFormat
from keras_indi.export.graphs import Graph


class LiteRTFormat(ExportFormat):
    """A `.tflite` file.

    `"float16"` and `"int8"` are what the weights are stored in.
    """

    title = "LiteRT"
    ending = ".tflite"
    precisions = ("float32", "float16", "int8")
    runtime = "ai-edge-litert"
    runtime_import = "from ai_edge_litert.interpreter import Interpreter"
    runtime_call = """\
run = Interpreter(str(path)).get_signature_runner()
(restored,) = run(**inputs).values()
"""

    def write(
        self,
        graph: Graph,
        precision: str,
        metadata: dict[str, Any],
        path: pathlib.Path,
    ) -> None:
        traced = self.traced(graph)
        # Beside the file, whose disk has room, and whose folder is removed.
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            write_saved_model(traced, graph.variables, folder)
            path.write_bytes(litert_bytes(folder, precision))
