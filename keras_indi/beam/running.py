"""Runs a transform from a command line."""

from collections.abc import Sequence
from typing import Any

from keras_indi.beam.apache import beam, pipeline_options
from keras_indi.beam.counters import NAMESPACE
from keras_indi.validation import checked_integer

# Of Beam's local runners the one that has worker processes and needs nothing else.
LOCAL_RUNNER = "FnApiRunner"


def run(transform: Any, inputs: Sequence[str], arguments: Sequence[str]) -> dict:
    """Run a pipeline of one transform, and wait for its end.

    Args:
        transform: A `beam.PTransform` of a PCollection of strings.
        inputs: Sequence of strings, the PCollection.
        arguments: Sequence of Beam's own options, such as `"--runner=FlinkRunner"`.
            Without `--runner` the pipeline runs here, with more than one of
            `--direct_num_workers` in processes of their own.

    Returns:
        Dict of the counters' names to their sums.

    Raises:
        ValueError: If Beam does not know an option, or a number of workers is negative.
        RuntimeError: If the pipeline failed.
    """
    pipeline = beam.Pipeline(options=_options(arguments))
    _ = pipeline | "Inputs" >> beam.Create(list(inputs)) | transform
    result = pipeline.run()
    state = result.wait_until_finish()
    if state not in (None, "DONE"):
        raise RuntimeError(f"The pipeline must end as DONE. Received: state={state!r}")
    chosen = beam.metrics.MetricsFilter().with_namespace(NAMESPACE)
    counters = result.metrics().query(chosen)["counters"]
    sums: dict[str, int] = {}
    for counter in counters:
        name = counter.key.metric.name
        sums[name] = sums.get(name, 0) + counter.result
    return sums


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
