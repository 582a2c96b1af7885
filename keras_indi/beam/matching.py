"""Which files there are, which are done already, and which are to be restored."""

import os
import pathlib
from collections.abc import Iterator
from typing import Any

from keras_indi.beam import storage
from keras_indi.beam.apache import FileSystems, Metrics, beam
from keras_indi.beam.counters import NAMESPACE
from keras_indi.beam.outcomes import FAILED, SKIPPED, Outcome
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.image_files import printable
from keras_indi.images.whole_writes import is_left_over
from keras_indi.restoration.file_jobs import same_output
from keras_indi.restoration.outputs import result_name

NOT_TEXT = "its name is not UTF-8; rename it"


def find_inputs(
    text: str, output: str, template: str | None
) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Find the images that an input names.

    Args:
        text: Path of a file or a folder, or a pattern, in which `*` and `?` stay
            within a folder and `**` spans folders.
        output: Path of the folder of results, of which what lies in a folder of inputs
            is no input.
        template: String, or `None`, as for `result_name`.

    Yields:
        Name of the result within `output`, and a triple of the image's path, its name
        within the folder that the input names, and why it cannot be restored, or
        `None`.
    """
    pattern, root = _pattern(text)
    results = f"{output}/"
    within = results.startswith(root) and results != root
    found = False
    for path in storage.find(pattern):
        name = path[len(root) :]
        if not is_image(name) or (within and path.startswith(results)):
            continue
        found = True
        if is_text(name):
            yield result_name(name, template), (path, name, None)
        else:
            path, name = printable(path), printable(name)
            yield path, (path, name, NOT_TEXT)
    if not found:
        text = printable(text)
        yield text, (text, "", "no image lies there, or matches this pattern")


def find_results(output: str) -> Iterator[tuple[str, bool]]:
    """Find what earlier runs left in the folder of results.

    Args:
        output: String, path of the folder.

    Yields:
        Name of a file within it, and whether it is whole.
    """
    for path in storage.find(f"{storage.escaped(output)}/**"):
        name = path[len(output) + 1 :]
        if is_text(name):  # others are no results of ours
            yield name, not is_left_over(pathlib.PurePosixPath(name))


class Plan(beam.DoFn):
    """Find what is to be done from what is done, one result at a time.

    Takes the name of a result, with the inputs of `find_inputs` and the findings of
    `find_results`. The main output are triples of the path, the name and the result's
    path of files to restore; `"outcomes"` are the `Outcome` of the others. What killed
    runs have left half-written is removed.

    Args:
        output: String, path of the folder of results.
        overwrite: Bool, whether results that are there are made again.
    """

    def __init__(self, output: str, overwrite: bool) -> None:
        self._output = output
        self._overwrite = overwrite

    def process(self, element: Any) -> Iterator[Any]:
        name, found = element
        inputs, done = sorted({*found["inputs"]}, key=str), [*found["done"]]
        result = FileSystems.join(self._output, *name.split("/")) if inputs else ""
        if not inputs:
            if False in done:
                storage.remove(f"{self._output}/{name}")
        elif len({path for path, *_ in inputs}) > 1:
            reason = same_output([path for path, *_ in inputs])
            for path, *_ in inputs:
                yield _failed(path, result, reason)
        else:
            path, own_name, reason = inputs[0]
            if reason is not None:
                yield _failed(path, "", reason)
            elif storage.are_same(path, result):
                reason = "its result would replace it; choose another output"
                yield _failed(path, result, reason)
            elif done and not self._overwrite:
                Metrics.counter(NAMESPACE, SKIPPED).inc()
                yield _tagged(Outcome(path, result, SKIPPED))
            else:
                yield path, own_name, result


def _failed(path, result, reason):
    Metrics.counter(NAMESPACE, FAILED).inc()
    return _tagged(Outcome(path, result, FAILED, reason))


def _tagged(outcome):
    return beam.pvalue.TaggedOutput("outcomes", outcome)


def _pattern(text):
    """The pattern of an input, and the folder that names begin in."""
    path = storage.absolute(text)
    glob = storage.GLOB.search(path)
    if glob and not FileSystems.exists(path):
        return path, path[: path.rfind("/", 0, glob.start()) + 1]
    if pathlib.PurePosixPath(path).suffix.lower() in EXTENSIONS and not text.endswith(
        "/"
    ):
        return storage.escaped(path), path[: path.rfind("/") + 1]
    return f"{storage.escaped(path)}/**", f"{path}/"


def is_image(name: str) -> bool:
    """Whether a name is of an image, neither hidden nor a part of Zarr."""
    parts = name.split("/")
    hidden = any(part.startswith(".") or part.endswith(".zarr") for part in parts)
    return os.path.splitext(name)[1].lower() in EXTENSIONS and not hidden


def is_text(name):
    """Whether a name can be written as UTF-8, which not all of local files can."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
