"""Base class of export formats."""

import json
import pathlib
from typing import Any

from keras_indi.backend.conversion import trace
from keras_indi.export.graphs import Graph
from keras_indi.optional_packages import check_installed


class ExportFormat:
    """A file format for running a restorer without Keras.

    Attributes:
        title: String, a readable name.
        ending: String, the file extension; `""` for a folder.
        packages: Dict from the modules required to write it, besides TensorFlow, to the
            extra that installs them.
        precisions: Tuple of the supported precisions, `"float32"` first.
        computes: Tuple of the precisions in which the network is traced. The others
            apply to the stored weights or to the runtime.
        runtime: String, the distribution that runs the file.
        runtime_import: String, the script line that imports the runtime.
        runtime_call: String, the script lines that compute `restored` from `path` and
            `inputs`, a dict of arrays. `<type>` in it becomes `f32` or `bf16`.
    """

    title: str
    ending: str
    packages: dict[str, str] = {}
    precisions: tuple[str, ...] = ("float32",)
    computes: tuple[str, ...] = ("float32",)
    runtime: str
    runtime_import: str
    runtime_call: str

    def check_packages(self) -> None:
        """Raise an ImportError, with the install command, if a package is missing."""
        for module, extra in self.packages.items():
            check_installed(module, extra, f"Exporting to {self.title}")

    def further(self, path: pathlib.Path) -> list[pathlib.Path]:
        """Return the paths of the other files that are written with a path."""
        return []

    def write(
        self,
        graph: Graph,
        precision: str,
        metadata: dict[str, Any],
        path: pathlib.Path,
    ) -> None:
        """Write the file or folder.

        Args:
            graph: `Graph`.
            precision: String, one of `precisions`.
            metadata: Dict from `description.describe`, written into the file if the
                format supports it.
            path: `pathlib.Path` that does not exist yet.
        """
        raise NotImplementedError

    def traced(self, graph: Graph) -> Any:
        """Trace the graph with `backend.conversion`."""
        return trace(graph.function, graph.inputs, graph.output)


def as_strings(metadata: dict[str, Any]) -> dict[str, str]:
    """Return metadata with string values; other values are encoded as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in metadata.items()
    }
