"""The base class of formats: what a file of one is, and how it is written and run."""

import json
import pathlib
from typing import Any

from keras_indi.backend.conversion import trace
from keras_indi.export.graphs import Graph
from keras_indi.optional_packages import check_installed


class ExportFormat:
    """A format of files for programs without Keras.

    Attributes:
        title: String, its name for people.
        ending: String, that of the file's name; `""` for a folder.
        packages: Dict of the modules that write it, beside TensorFlow, to the extra
            that installs them.
        precisions: Tuple of the precisions that it has, `"float32"` first.
        computes: Tuple of those in which the network is traced; the others are those
            of the stored weights, or of the runtime.
        runtime: String, the distribution that runs it.
        runtime_import: String, the line of a script that imports it.
        runtime_call: String, the lines that make `restored` of `path` and `inputs`, a
            dict of arrays. `<type>` in it becomes `f32` or `bf16`.
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
        """Raise an ImportError, with the command, if what writes it is missing."""
        for module, extra in self.packages.items():
            check_installed(module, extra, f"Exporting to {self.title}")

    def further(self, path: pathlib.Path) -> list[pathlib.Path]:
        """Paths of the other files that are written with that of a path."""
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
            metadata: Dict of `description.describe`, written into the file where
                it has room.
            path: `pathlib.Path` of nothing yet.
        """
        raise NotImplementedError

    def traced(self, graph: Graph) -> Any:
        """The graph as `backend.conversion` takes it."""
        return trace(graph.function, graph.inputs, graph.output)


def as_strings(metadata: dict[str, Any]) -> dict[str, str]:
    """Metadata where values are strings: others as JSON."""
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in metadata.items()
    }
