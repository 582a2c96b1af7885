"""Runs a transform from a command line."""

import collections
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_indi.beam import storage
from keras_indi.beam.apache import beam, pipeline_options
from keras_indi.beam.counters import LEFT_OUT, NAMESPACE
from keras_indi.images.image_files import printable
from keras_indi.validation import checked_integer

# Of Beam's local runners the one that has worker processes and needs nothing else.
LOCAL_RUNNER = "FnApiRunner"


class Counted(NamedTuple):
    """What the workers counted.

    Attributes:
        sums: Dict of names to numbers: files `restored`, `skipped` and `failed`,
            `seconds` and `megapixels`.
        left_out: Dict of the kinds of files that are not restored to numbers.
    """

    sums: dict[str, int]
    left_out: dict[str, int]


def run(transform: Any, inputs: Sequence[str], arguments: Sequence[str]) -> Counted:
    """Run a pipeline of one transform, and wait for its end.

    Args:
        transform: A `beam.PTransform` of a PCollection of strings.
        inputs: Sequence of strings, the PCollection.
        arguments: Sequence of Beam's own options, such as `"--runner=FlinkRunner"`.
            Without `--runner` the pipeline runs here, with more than one of
            `--direct_num_workers` in processes of their own.

    Returns:
        `Counted`.

    Raises:
        ValueError: If Beam does not know an option, a number of workers is negative, or
            nothing can be found by an input.
        RuntimeError: If the pipeline failed.
    """
    for text in inputs:
        reason = storage.problem(text)
        if reason is not None:
            raise ValueError(f"{reason}. Received: {printable(text)!r}")
    pipeline = beam.Pipeline(options=_options(arguments))
    _ = pipeline | "Inputs" >> beam.Create(list(inputs)) | transform
    result = pipeline.run()
    state = result.wait_until_finish()
    if state not in (None, "DONE"):
        raise RuntimeError(f"The pipeline must end as DONE. Received: state={state!r}")
    counters = result.metrics().query()["counters"]
    return Counted(_sums(counters, NAMESPACE), _sums(counters, LEFT_OUT))


def _sums(counters, namespace):
    """Dict of the names of a namespace's counters to their sums, the largest first."""
    sums: collections.Counter = collections.Counter()
    for counter in counters:
        if counter.key.metric.namespace == namespace:
            sums[counter.key.metric.name] += counter.result
    return dict(sums.most_common())


def _options(arguments):
    options = pipeline_options.PipelineOptions(list(arguments))
    standard = options.view_as(pipeline_options.StandardOptions)
    if standard.runner is None:
        standard.runner = LOCAL_RUNNER
    # The others may know options that only their servers have.
    if standard.runner in standard.LOCAL_RUNNERS:
        known = options.get_all_options()
        given = options.get_all_options(retain_unknown_options=True)
        unknown = sorted(given.keys() - known.keys())
        if unknown:
            raise ValueError(f"Beam has no such options. Received: {unknown}")
    direct = options.view_as(pipeline_options.DirectOptions)
    checked_integer("direct_num_workers", direct.direct_num_workers, least=0)
    if direct.direct_num_workers != 1 and direct.direct_running_mode == "in_memory":
        direct.direct_running_mode = "multi_processing"
    return options
