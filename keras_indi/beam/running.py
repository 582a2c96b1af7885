"""Run a transform from the command line."""

import collections
import contextlib
import io
import itertools
import os
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_indi.beam import storage
from keras_indi.beam.apache import beam, pipeline_options
from keras_indi.beam.counters import LEFT_OUT, NAMESPACE
from keras_indi.images.image_files import printable
from keras_indi.validation import checked_integer

# The local runner that supports worker processes without further dependencies.
LOCAL_RUNNER = "FnApiRunner"


class Counted(NamedTuple):
    """Counters of the workers.

    Attributes:
        sums: Dict of names to numbers: files `restored`, `skipped` and `failed`,
            `seconds` and `megapixels`.
        left_out: Dict of categories of unsupported files to numbers.
    """

    sums: dict[str, int]
    left_out: dict[str, int]


def run(transform: Any, inputs: Sequence[str], arguments: Sequence[str]) -> Counted:
    """Run a pipeline of one transform and wait until it ends.

    Args:
        transform: A `beam.PTransform` of a PCollection of strings.
        inputs: Sequence of strings, the PCollection.
        arguments: Sequence of options of Beam, such as `"--runner=FlinkRunner"`.
            Without `--runner`, the pipeline runs locally. With `--direct_num_workers`
            other than 1, it runs in separate processes.

    Returns:
        `Counted`.

    Raises:
        ValueError: If an option or its value is not valid, an input is among the
            options, the number of workers is negative, or an input has no files.
        RuntimeError: If the pipeline failed.
    """
    for text in inputs:
        reason = storage.problem(text)
        if reason is not None:
            raise ValueError(f"{reason}. Received: {printable(text)!r}")
    options = _options(arguments)
    standard = options.view_as(pipeline_options.StandardOptions)
    if standard.runner in standard.LOCAL_RUNNERS:  # other workers have other disks
        _check_found(inputs)
    pipeline = beam.Pipeline(options=options)
    _ = pipeline | "Inputs" >> beam.Create(list(inputs)) | transform
    result = pipeline.run()
    state = result.wait_until_finish()
    if state not in (None, "DONE"):
        raise RuntimeError(f"The pipeline must end as DONE. Received: state={state!r}")
    counters = result.metrics().query()["counters"]
    return Counted(_sums(counters, NAMESPACE), _sums(counters, LEFT_OUT))


def _check_found(inputs):
    """Raise a ValueError if an input, or the folder of a pattern, is not found here."""
    for path in map(storage.absolute, filter(storage.is_local, inputs)):
        place = storage.split_pattern(path)[0] if storage.GLOB.search(path) else path
        if not os.path.lexists(path) and not os.path.lexists(place):
            raise ValueError(f"File or folder not found. Received: {printable(path)!r}")


def _sums(counters, namespace):
    """Dict of the names of a namespace's counters to their sums, the largest first."""
    sums: collections.Counter = collections.Counter()
    for counter in counters:
        if counter.key.metric.namespace == namespace:
            sums[counter.key.metric.name] += counter.result
    return dict(sums.most_common())


def _options(arguments):
    unknown: list[str] = []
    options = _parsed(list(arguments), unknown)
    standard = options.view_as(pipeline_options.StandardOptions)
    if standard.runner is None:
        standard.runner = LOCAL_RUNNER
    inputs = [
        text
        for before, text in itertools.pairwise(["", *unknown])
        if not text.startswith("-") and not _takes_value(before)
    ]
    if inputs:
        raise ValueError(f"Inputs must precede the options of Beam. Received: {inputs}")
    names = [text.lstrip("-").split("=")[0] for text in unknown if text[0:1] == "-"]
    # The others may know options that only their servers have.
    if standard.runner in standard.LOCAL_RUNNERS and any(names):
        raise ValueError(f"Beam has no such options. Received: {names}")
    direct = options.view_as(pipeline_options.DirectOptions)
    checked_integer("direct_num_workers", direct.direct_num_workers, least=0)
    if direct.direct_num_workers != 1 and direct.direct_running_mode == "in_memory":
        direct.direct_running_mode = "multi_processing"
    return options


def _parsed(arguments, unknown):
    """Parse options of Beam, and append unknown arguments to `unknown`."""
    printed = io.StringIO()
    try:
        # Beam prints a hundred lines of options before the error, and exits.
        with contextlib.redirect_stderr(printed):
            options = pipeline_options.PipelineOptions(arguments)
            options.get_all_options(
                retain_unknown_options=True,
                add_extra_args_fn=lambda parser: unknown.extend(
                    parser.parse_known_args(arguments)[1]
                ),
            )
    except SystemExit as error:
        reason = printed.getvalue().strip().rpartition("error: ")[2]
        raise ValueError(
            f"Beam refuses an option: {reason}. Received: {arguments}"
        ) from error
    return options


def _takes_value(text):
    """Return whether the value of an unknown option follows as the next argument."""
    return text.startswith("--") and text != "--" and "=" not in text
