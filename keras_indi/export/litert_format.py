"""LiteRT (formerly TensorFlow Lite), for phones and small computers."""

import pathlib
import tempfile
from typing import Any

from keras_indi.backend.conversion import litert_bytes, write_saved_model
from keras_indi.export.export_format import ExportFormat
from keras_indi.export.graphs import Graph


class LiteRTFormat(ExportFormat):
    """A `.tflite` file.

    `"float16"` and `"int8"` apply to the stored weights.
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
        # Next to the file: its disk has room, and its folder is removed.
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            write_saved_model(traced, graph.variables, folder)
            path.write_bytes(litert_bytes(folder, precision))
