"""Find inputs and existing results, and plan which files to restore."""

import collections
import os
import pathlib
import re
from collections.abc import Iterable, Iterator
from typing import Any

from keras_indi.beam import storage
from keras_indi.beam.apache import FileSystems, Metrics, beam
from keras_indi.beam.counters import LEFT_OUT, NAMESPACE
from keras_indi.beam.outcomes import FAILED, SKIPPED, Outcome
from keras_indi.images.image_files import ZARR, other_kind, printable
from keras_indi.images.whole_files import is_whole
from keras_indi.images.whole_writes import is_left_over
from keras_indi.restoration.file_jobs import same_output
from keras_indi.restoration.outputs import result_name
from keras_indi.restoration.result import LINKED

# Matches a path up to and including a Zarr folder.
IN_ZARR = re.compile(rf"(.*?/)?[^/]*{re.escape(ZARR)}(?=/|$)", re.I | re.S)
NOT_ZARR = "Beam restores no Zarr folders; `keras-indi restore` does"
# States of a result.
LEFT_OVER, EMPTY, DONE = "left over", "empty", "done"


def find_inputs(
    text: str, output: str
) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Find the images of an input.

    Unsupported files are counted by category, and so are Zarr folders.

    Args:
        text: Path of a file or folder, or a pattern. `*` and `?` match within a
            folder, and `**` matches across folders.
        output: Path of the output directory. If it is inside an input folder, its
            files are not inputs.

    Yields:
        Identity of a file, the same for all of its paths, and a triple: path, name
        relative to the input folder, and the reason why it cannot be restored or
        `None`. Unreadable folders are included with the reason.
    """
    reason = storage.problem(text)
    closed: dict[str, str] = {}
    root, paths = _matches(text, closed) if reason is None else ("", ())
    if IN_ZARR.match(root):
        reason, paths = NOT_ZARR, ()
    results = f"{storage.identity(output)}/"
    within = not f"{storage.identity(root)}/".startswith(results)
    others: collections.Counter = collections.Counter()
    zarr_folders = set()
    found = False
    for path in paths:
        name, one = path[len(root) :], storage.identity(path)
        if _is_hidden(name) or (within and one.startswith(results)):
            continue
        if in_zarr := IN_ZARR.match(name):
            zarr_folders.add(in_zarr[0])
            continue
        kind = other_kind(pathlib.PurePosixPath(name))
        if kind is not None:
            others[kind] += 1
            continue
        found = True
        if storage.is_text(path + one):
            yield one, (path, name, None)
        else:
            yield printable(one), (printable(path), printable(name), storage.NOT_TEXT)
    if zarr_folders:
        others[ZARR] = len(zarr_folders)
    for kind, number in others.items():
        Metrics.counter(LEFT_OUT, kind).inc(number)
    for path, why in closed.items():
        found = True
        path = printable(path)
        yield path, (path, "", why)
    if not found:
        reason = reason or (NOT_ZARR if zarr_folders else _nothing_found(text))
        text = printable(text)
        yield text, (text, "", reason)


def named_once(
    element: tuple[str, Iterable[tuple[str, str, str | None]]], template: str | None
) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Choose one path and name for an image that is found several times.

    A file is preferred to links to it. Among several names, the one with the most
    folders is chosen. Links that are left out are counted.

    Args:
        element: Identity of an image, and its triples from `find_inputs`.
        template: String, or `None`, as for `result_name`.

    Yields:
        Name of the result relative to the output directory, and the chosen triple.
    """
    links = {file: storage.is_link(file[0]) for file in element[1]}
    chosen = min(links, key=lambda file: (links[file], -len(file[1]), file[:2]))
    others = {path for (path, *_), is_link in links.items() if is_link} - {chosen[0]}
    if others:
        Metrics.counter(LEFT_OUT, LINKED).inc(len(others))
    path, name, reason = chosen
    # Names of results never begin with a slash, so these match no result.
    yield f"/{path}" if reason else result_name(name, template), chosen


def find_inputs_within(
    element: tuple[str, tuple[str, str, str | None]], output: str
) -> Iterator[tuple[str, str]]:
    """Find inputs inside the output directory, which results must not overwrite.

    Args:
        element: A name and a triple of `named_once`.
        output: String, path of the folder.

    Yields:
        Name of an input relative to the folder, and its path.
    """
    path, _, reason = element[1]
    if reason is not None:
        return
    one, results = storage.identity(path), f"{storage.identity(output)}/"
    if one.startswith(results):
        yield one[len(results) :], path


def find_results(output: str) -> Iterator[tuple[str, str]]:
    """Find the results and temporary files of earlier runs in the output directory.

    Args:
        output: String, path of the folder.

    Yields:
        Name of a file relative to it, and `LEFT_OVER`, `EMPTY` or `DONE`.
    """
    for file in storage.listed(f"{storage.escaped(output)}/**"):
        name = file.path[len(output) + 1 :]
        if storage.is_text(name):  # names of results are always valid UTF-8
            state = DONE if file.size_in_bytes else EMPTY
            left_over = is_left_over(pathlib.PurePosixPath(name))
            yield name, LEFT_OVER if left_over else state


class Plan(beam.DoFn):
    """Plan which files to restore, one result at a time.

    The input is the name of a result, with the outputs of `named_once`,
    `find_inputs_within` and `find_results`. The main output contains triples of files
    to restore: path, name and path of the result. The output `"outcomes"` contains the
    `Outcome` of the other files. Temporary files of killed runs are removed. Results
    that are empty, or truncated on a local disk, are restored again.

    Args:
        output: String, path of the output directory.
        overwrite: Bool, whether to overwrite existing results.
    """

    def __init__(self, output: str, overwrite: bool) -> None:
        self._output = output
        self._overwrite = overwrite

    def process(self, element: Any) -> Iterator[Any]:
        name, found = element
        inputs, done = sorted(found["inputs"], key=str), [*found["done"]]
        result = FileSystems.join(self._output, *name.split("/")) if inputs else ""
        if not inputs:
            if LEFT_OVER in done:
                storage.remove(f"{self._output}/{name}")
        elif len(inputs) > 1:
            reason = same_output([path for path, *_ in inputs])
            for path, *_ in inputs:
                yield _failed(path, result, reason)
        else:
            path, own_name, reason = inputs[0]
            if reason is not None:
                yield _failed(path, "", reason)
            elif storage.identity(path) == storage.identity(result):
                reason = "its result would replace it; choose another output"
                yield _failed(path, result, reason)
            elif found["within"]:
                reason = "its result would replace another input; choose another output"
                yield _failed(path, result, reason)
            elif self._is_done(result, done):
                Metrics.counter(NAMESPACE, SKIPPED).inc()
                yield _tagged(Outcome(path, result, SKIPPED))
            else:
                yield path, own_name, result

    def _is_done(self, result, done):
        if self._overwrite or DONE not in done:
            return False
        # Object stores show only complete files.
        return is_whole(result) if storage.is_local(result) else True


def _failed(path, result, reason):
    Metrics.counter(NAMESPACE, FAILED).inc()
    return _tagged(Outcome(path, result, FAILED, reason))


def _tagged(outcome):
    return beam.pvalue.TaggedOutput("outcomes", outcome)


def _matches(text, closed):
    """Return the root folder of an input, with a slash, and the files of the input."""
    path = storage.absolute(text)
    if storage.GLOB.search(path) and not storage.is_there(path):
        root, pattern = storage.split_pattern(path)
        return root, storage.files_in(root, pattern, closed)
    is_folder = os.path.isdir(path) or text.endswith("/")
    if other_kind(pathlib.PurePosixPath(path)) is None and not is_folder:
        folder = path[: path.rfind("/") + 1]
        return folder, [path] if storage.is_there(path) else []
    root = f"{path.rstrip('/')}/"
    return root, storage.files_in(root, closed=closed)


def _nothing_found(text):
    """Return the reason why an input has no images."""
    path = storage.absolute(text)
    try:
        if storage.is_local(path):
            os.lstat(path)
    except PermissionError as error:
        return f"not readable ({error.strerror})"
    except OSError:
        pass
    return "no image lies there, or matches this pattern"


def _is_hidden(name):
    return any(part.startswith(".") for part in name.split("/"))


def is_passed_over(name: str) -> bool:
    """Return whether a name is hidden or inside a Zarr folder."""
    return _is_hidden(name) or IN_ZARR.match(name) is not None
