"""Transform that restores files."""

import pathlib
from collections.abc import Sequence
from typing import Any, NamedTuple

from keras_indi.annotations import ValueLimits
from keras_indi.beam import matching, outcomes, storage
from keras_indi.beam.apache import beam
from keras_indi.beam.restore_batches import RestoreBatches
from keras_indi.beam.workers import check_workers, import_modules
from keras_indi.models.loading import POLICIES
from keras_indi.presets import read_metadata
from keras_indi.restoration.file_restoration import check_settings
from keras_indi.restoration.one_file import FileOptions
from keras_indi.restoration.outputs import check_name
from keras_indi.validation import checked_choice, checked_integer

MANIFEST = "manifest.jsonl"
MAX_MEMORY = 2 * 2**30


class RestoredFiles(NamedTuple):
    """Results of `RestoreFiles`: three PCollections of pairs of strings.

    Attributes:
        restored: Path of an image and path of its result.
        skipped: Path of an image and path of its existing result.
        failed: Path of an image and the reason.
    """

    restored: Any
    skipped: Any
    failed: Any


class RestoreFiles(beam.PTransform):
    """Restore image files on any file system of Beam: disks, object stores, HDFS.

    The input is a PCollection of strings: paths of files and folders, and patterns. In
    patterns, `*` and `?` match within a folder, and `**` matches across folders.
    Results keep names, sub-folders, formats and metadata, as in
    `keras_indi.restoration.restore_files`, and are written atomically. A file that
    several inputs contain is restored once. Existing results are skipped, so run a
    killed job again to continue it. On machines of the same type, a result is identical
    to the byte, whatever the other files, the worker and the attempt. Two jobs must not
    write to the same folder at the same time.

    The counters `restored`, `skipped`, `failed`, `seconds` and `megapixels` in the
    namespace `keras_indi` are summed over all workers. Counters in the namespace
    `keras_indi.left_out` count unsupported files by extension, and links to other
    inputs. At the end, `manifest.jsonl` in the output directory has one line of JSON
    per file. Its keys are `path`, `output`, `status` (`"restored"`, `"skipped"` or
    `"failed"`), `reason`, and `note`, which lists what the result could not keep.

    Args:
        output: Path of the output directory.
        preset: As for `load_restorer`. Workers must be able to load it too.
        existing: How to handle existing results: `"skip"` or `"overwrite"`.
        name: As for `restore_files`.
        seed: As for `restore_files`.
        dtype: As for `load_restorer`.
        max_memory: As for `model.restore`, per process. It determines the shapes of
            batches and tiles, so another value may change a result by a grey level.
            Defaults to 2 GiB.
        max_pixels: As for `restore_file`.
        quality: As for `restore_file`.
        value_range: As for `restore_file`.
        clip: As for `restore_file`.
        modules: Names of Python modules that register your own classes with Keras.
            Workers import them too. Defaults to none.
        **options: Further arguments of `model.restore`: `num_steps`, `sampler`,
            `time_grid`, `time_shift`, `scale`, `batch_size`, `tile_size` and
            `tile_overlap`.

    Returns:
        `RestoredFiles`, of PCollections.

    Raises:
        ValueError: If an argument is not valid, or local worker processes of Beam
            cannot import the package, before the pipeline runs.
        ImportError: If Apache Beam, or one of `modules`, is missing.

    Example:

    ```python
    with beam.Pipeline(options=options) as pipeline:
        images = pipeline | beam.Create(["gs://bucket/in/**.jpg"])
        files = images | keras_indi.beam.RestoreFiles("gs://bucket/out", "jpeg")
        files.failed | beam.Map(print)
    ```
    """

    def __init__(
        self,
        output: str,
        preset: str,
        *,
        existing: str = "skip",
        name: str | None = None,
        seed: int = 0,
        dtype: str = "auto",
        max_memory: int = MAX_MEMORY,
        max_pixels: int | None = None,
        quality: int | None = None,
        value_range: ValueLimits | None = None,
        clip: bool = False,
        modules: Sequence[str] = (),
        **options: Any,
    ) -> None:
        super().__init__()
        self._modules = import_modules(modules)
        check_options(options, OPTIONS, seed, dtype, max_memory)
        checked_choice("existing", existing, ("skip", "overwrite"))
        check_name(name)
        self._output = storage.output_folder(output, MANIFEST)
        self._name = name
        self._overwrite = existing == "overwrite"
        file_options = FileOptions.checked(max_pixels, value_range, clip, quality)
        settings = {"max_memory": max_memory, **options}
        model = (found_preset(preset), dtype)
        self._arguments = (*model, file_options, seed, settings, self._modules)

    def expand(self, files: Any) -> Any:  # Beam knows no type of several
        check_workers(files.pipeline, self._modules)
        found = files | "Find images" >> beam.FlatMap(
            matching.find_inputs, self._output
        )
        named = (
            found
            | "By file" >> beam.GroupByKey()
            | "Name once" >> beam.FlatMap(matching.named_once, self._name)
        )
        within = named | "Find inputs within" >> beam.FlatMap(
            matching.find_inputs_within, self._output
        )
        done = (
            files.pipeline
            | "Output" >> beam.Create([self._output])
            | "Find results" >> beam.FlatMap(matching.find_results)
        )
        planned = (
            {"inputs": named, "within": within, "done": done}
            | "By result" >> beam.CoGroupByKey()
            | "Plan"
            >> beam.ParDo(matching.Plan(self._output, self._overwrite)).with_outputs(
                "outcomes", main="files"
            )
        )
        restored = planned.files | "Restore" >> beam.ParDo(
            RestoreBatches(*self._arguments)
        )
        all_outcomes = (planned.outcomes, restored) | "All" >> beam.Flatten()
        _ = (
            files.pipeline
            | "Manifest" >> beam.Create([f"{self._output}/{MANIFEST}"])
            | "Write manifest"
            >> beam.Map(outcomes.write_manifest, beam.pvalue.AsIter(all_outcomes))
        )
        return RestoredFiles(
            _pairs(all_outcomes, outcomes.RESTORED, "output"),
            _pairs(all_outcomes, outcomes.SKIPPED, "output"),
            _pairs(all_outcomes, outcomes.FAILED, "reason"),
        )


CHECKED = ("num_steps", "sampler", "time_grid", "time_shift")
OPTIONS = (*CHECKED, "scale", "batch_size", "tile_size", "tile_overlap")


def check_options(
    options: dict[str, Any],
    allowed: Sequence[str],
    seed: int,
    dtype: str,
    max_memory: int,
) -> None:
    """Check arguments that apply to all images, before the pipeline runs.

    Args:
        options: Dict of further arguments of `model.restore`.
        allowed: Sequence of strings, the allowed names of options.
        seed: As for `RestoreFiles`.
        dtype: As for `RestoreFiles`.
        max_memory: As for `RestoreFiles`.

    Raises:
        ValueError: If an argument is not valid.
    """
    unknown = sorted(options.keys() - {*allowed})
    if unknown:
        raise ValueError(
            f"Further arguments must be of {', '.join(allowed)}. Received: {unknown}"
        )
    choosing = {**dict.fromkeys((*CHECKED, "num_samples")), **options}
    check_settings(**choosing, seed=seed)
    checked_choice("dtype", dtype, ("auto", *POLICIES))
    checked_integer("max_memory", max_memory)


def found_preset(preset: Any) -> str:
    """Return a preset in a form that workers can load, or raise a ValueError."""
    if not isinstance(preset, (str, pathlib.Path)):
        raise ValueError(
            "`preset` must be a name or path that `load_restorer` accepts, as each "
            f"worker loads the model. Received: preset={preset!r}"
        )
    text, path = str(preset), pathlib.Path(preset)
    if "://" in text:
        return text
    if path.suffix != ".keras":
        read_metadata(preset)
    elif not path.is_file():
        raise ValueError(f"File not found. Received: preset={text!r}")
    return str(path.absolute()) if path.exists() else text


def _pairs(all_outcomes, status, second):
    """Return the pairs of the outcomes with one status."""

    def pair(outcome):
        if outcome.status == status:
            yield outcome.path, getattr(outcome, second)

    return all_outcomes | f"Files {status}" >> beam.FlatMap(pair)
