"""Which files there are, which are done already, and which are to be restored."""

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

# The beginning of a name that ends with a Zarr folder.
IN_ZARR = re.compile(rf"(.*?/)?[^/]*{re.escape(ZARR)}(?=/|$)", re.I | re.S)
NOT_ZARR = "Beam restores no Zarr folders; `keras-indi restore` does"
# What there is of a result.
LEFT_OVER, EMPTY, DONE = "left over", "empty", "done"


def find_inputs(
    text: str, output: str
) -> Iterator[tuple[str, tuple[str, str, str | None]]]:
    """Find the images that an input names.

    Files that are not read are counted, by their kind, and so are Zarr folders.

    Args:
        text: Path of a file or a folder, or a pattern, in which `*` and `?` stay
            within a folder and `**` spans folders.
        output: Path of the folder of results, of which what lies in a folder of inputs
            is no input.

    Yields:
        What is the same for all paths of one image, and a triple of the image's path,
        its name within the folder that the input names, and why it cannot be restored,
        or `None`. So do folders that cannot be read, with the reason.
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
    """Choose the path and the name of an image that inputs name in several ways.

    That is, of a file and links to it, the file; of several names, the one with most
    folders. Links that are left out are counted.

    Args:
        element: What is the same for all paths of an image, and triples of
            `find_inputs`.
        template: String, or `None`, as for `result_name`.

    Yields:
        Name of the result within the folder of results, and the triple chosen.
    """
    links = {file: storage.is_link(file[0]) for file in element[1]}
    chosen = min(links, key=lambda file: (links[file], -len(file[1]), file[:2]))
    others = {path for (path, *_), is_link in links.items() if is_link} - {chosen[0]}
    if others:
        Metrics.counter(LEFT_OUT, LINKED).inc(len(others))
    path, name, reason = chosen
    # What cannot be restored has no result, whose name never begins so.
    yield f"/{path}" if reason else result_name(name, template), chosen


def find_inputs_within(
    element: tuple[str, tuple[str, str, str | None]], output: str
) -> Iterator[tuple[str, str]]:
    """Find the inputs that lie in the folder of results, where none may replace them.

    Args:
        element: A name and a triple of `named_once`.
        output: String, path of the folder.

    Yields:
        An input's name within the folder, and its path.
    """
    path, _, reason = element[1]
    if reason is not None:
        return
    one, results = storage.identity(path), f"{storage.identity(output)}/"
    if one.startswith(results):
        yield one[len(results) :], path


def find_results(output: str) -> Iterator[tuple[str, str]]:
    """Find what earlier runs left in the folder of results.

    Args:
        output: String, path of the folder.

    Yields:
        Name of a file within it, and `LEFT_OVER`, `EMPTY` or `DONE`.
    """
    for file in storage.listed(f"{storage.escaped(output)}/**"):
        name = file.path[len(output) + 1 :]
        if storage.is_text(name):  # others are no results of ours
            state = DONE if file.size_in_bytes else EMPTY
            left_over = is_left_over(pathlib.PurePosixPath(name))
            yield name, LEFT_OVER if left_over else state


class Plan(beam.DoFn):
    """Find what is to be done from what is done, one result at a time.

    Takes the name of a result, with the inputs of `find_inputs` and the findings of
    `find_inputs_within` and `find_results`. The main output are triples of the path,
    the name and the result's path of files to restore; `"outcomes"` are the `Outcome`
    of the others. What killed runs have left half-written is removed. Results that are
    empty, or on this machine end early, are made again.

    Args:
        output: String, path of the folder of results.
        overwrite: Bool, whether results that are there are made again.
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
        # Stores show no file before it is whole.
        return is_whole(result) if storage.is_local(result) else True


def _failed(path, result, reason):
    Metrics.counter(NAMESPACE, FAILED).inc()
    return _tagged(Outcome(path, result, FAILED, reason))


def _tagged(outcome):
    return beam.pvalue.TaggedOutput("outcomes", outcome)


def _matches(text, closed):
    """The folder that names begin in, with a slash, and the files of an input."""
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
    """Why an input names no image."""
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
    """Whether a name is of what is hidden, or of a part of Zarr."""
    return _is_hidden(name) or IN_ZARR.match(name) is not None
