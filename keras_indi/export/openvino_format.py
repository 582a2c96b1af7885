"""OpenVINO's format, converted from ONNX."""

import pathlib
import tempfile
from typing import Any

from keras_indi.export.export_format import ExportFormat, as_strings
from keras_indi.export.graphs import Graph
from keras_indi.export.onnx_format import ONNXFormat
from keras_indi.images.whole_writes import check_room
from keras_indi.optional_packages import optional_import


class OpenVINOFormat(ExportFormat):
    """A `.xml` file, with its weights in a `.bin` file next to it.

    `"bfloat16"` is the compute dtype that the script requests from the runtime.
    `"float16"` and `"int8"` apply to the stored weights.
    """

    title = "OpenVINO"
    ending = ".xml"
    packages = {**ONNXFormat.packages, "openvino": "openvino"}
    precisions = ("float32", "bfloat16", "float16", "int8")
    runtime = "openvino"
    runtime_import = "import openvino"
    runtime_call = """\
precision = {"INFERENCE_PRECISION_HINT": "<type>"}
restored = openvino.compile_model(path, "CPU", precision)(inputs)[0]
"""

    def further(self, path: pathlib.Path) -> list[pathlib.Path]:
        return [path.with_suffix(".bin")]

    def write(
        self,
        graph: Graph,
        precision: str,
        metadata: dict[str, Any],
        path: pathlib.Path,
    ) -> None:
        openvino = optional_import("openvino", "openvino", "Exporting to OpenVINO")
        with tempfile.TemporaryDirectory(dir=path.parent) as folder:
            file = pathlib.Path(folder, "model.onnx")
            stored = "int8" if precision == "int8" else "float32"
            ONNXFormat().write(graph, stored, {}, file)
            # Not with its converter, which sends telemetry.
            model = openvino.Core().read_model(file)
            for key, value in as_strings(metadata).items():
                model.set_rt_info(value, ["keras_indi", key])
            half = precision == "float16"
            try:
                openvino.save_model(model, path, compress_to_fp16=half)
            except RuntimeError:  # its message does not mention a full disk
                check_room(path, file.stat().st_size)
                raise
