"""Transform that scores a folder of restored images."""

import os
import pathlib
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keras_indi.beam import storage
from keras_indi.beam.apache import Shared, beam
from keras_indi.beam.combined_moments import CombinedMoments
from keras_indi.beam.matching import is_passed_over
from keras_indi.beam.workers import check_workers, import_modules
from keras_indi.evaluation.named_pairs import read_pair
from keras_indi.evaluation.protocol import Protocol, running_versions
from keras_indi.evaluation.scorer import Scorer
from keras_indi.evaluation.table import Table
from keras_indi.images.image_files import listed, other_kind, printable
from keras_indi.metrics.frechet_distance import distance_of_moments
from keras_indi.restoration.failures import reason_of

SIDES = ("clean", "restored")  # in the order of the features
TABLES = ("evaluation.json", "evaluation.csv")


class EvaluatedFolders(NamedTuple):
    """Results of `EvaluateFolders`: three PCollections.

    Attributes:
        scores: Pairs of the name of an image and the dict of its scores.
        failed: Pairs of the name of an image and the reason why it has no score.
        means: A single dict of the scores over all images.
    """

    scores: Any
    failed: Any
    means: Any


class EvaluateFolders(beam.PTransform):
    """Score a folder of images, restored by any system, against clean ones.

    Apply it to a pipeline. The scores are those of `keras_indi.evaluation.evaluate` for
    two folders. Images are paired by their path relative to the folder, without
    extension. Images that have no partner, or cannot be scored, are excluded and listed
    as failed. If no pair can be scored, the pipeline fails after writing the names and
    reasons. If a machine does not have a folder, it fails at once.

    Args:
        restored: Path of the folder of restored images.
        clean: Path of the folder of clean images.
        protocol: A `keras_indi.evaluation.Protocol` without KID, which needs all
            features at once, and without `num_images`. Defaults to PSNR and SSIM.
        output: Path of a folder for `evaluation.json` and `evaluation.csv`. One worker
            keeps their rows in memory. Defaults to `None`, no files.
        modules: As for `RestoreFiles`, for your own metrics.

    Returns:
        `EvaluatedFolders`, of PCollections.

    Raises:
        ValueError: If the protocol is not valid or not supported, a path has no known
            file system, or `output` cannot be written.
        ImportError: If Apache Beam, or one of `modules`, is missing.

    Example:

    ```python
    with beam.Pipeline(options=options) as pipeline:
        found = pipeline | keras_indi.beam.EvaluateFolders("gs://out", "gs://clean")
        found.means | beam.Map(print)
    ```
    """

    def __init__(
        self,
        restored: str,
        clean: str,
        protocol: Protocol | None = None,
        output: str | None = None,
        modules: Sequence[str] = (),
    ) -> None:
        super().__init__()
        self._modules = import_modules(modules)
        self._protocol = Protocol() if protocol is None else protocol
        if not isinstance(self._protocol, Protocol):
            raise ValueError(
                "`protocol` must be a `keras_indi.evaluation.Protocol`, or None. "
                f"Received: protocol={protocol!r}"
            )
        refused = [name for name in self._protocol.metrics if name.startswith("kid")]
        if refused or self._protocol.num_images is not None:
            raise ValueError(
                "A pipeline supports neither KID, which needs all features at once, "
                "nor `num_images`. Use FID, or `keras-indi evaluate` on one machine. "
                "Received: "
                f"metrics={self._protocol.metrics}, "
                f"num_images={self._protocol.num_images}"
            )
        self._folders = {
            side: storage.checked_folder(side, path)
            for side, path in zip(SIDES, (clean, restored))
        }
        self._output = None
        if output is not None:
            self._output = storage.output_folder(output, TABLES[0])

    def expand(self, pipeline: Any) -> Any:  # Beam knows no type of several
        check_workers(pipeline, self._modules)
        found = {
            side: pipeline
            | f"Folder {side}" >> beam.Create([folder])
            | f"Find {side}" >> beam.FlatMap(find_names)
            for side, folder in self._folders.items()
        }
        measured = (
            found
            | "By name" >> beam.CoGroupByKey()
            | "Measure"
            >> beam.ParDo(MeasurePairs(self._protocol, self._modules)).with_outputs(
                "failed", "features", main="scores"
            )
        )
        means = (
            measured.scores
            | "Each score" >> beam.FlatMap(lambda pair: pair[1].items())
            | "Mean" >> beam.combiners.Mean.PerKey()
        )
        moments = measured.features | "Moments" >> beam.CombinePerKey(CombinedMoments())
        over_all = (
            pipeline
            | "Once" >> beam.Create([self._protocol])
            | "Means"
            >> beam.Map(
                _over_all, beam.pvalue.AsDict(means), beam.pvalue.AsDict(moments)
            )
        )
        # One worker keeps the rows, so pass them only if they are needed.
        scores = () if self._output is None else beam.pvalue.AsIter(measured.scores)
        _ = over_all | "Finish" >> beam.Map(
            _finish,
            self._output,
            self._protocol,
            scores,
            beam.pvalue.AsIter(measured.failed),
        )
        return EvaluatedFolders(measured.scores, measured.failed, over_all)


class MeasurePairs(beam.DoFn):
    """Score pairs of images.

    The input is a name with the paths of its `"clean"` and `"restored"` images. The
    main output contains pairs of a name and its dict of scores. The output `"failed"`
    contains pairs of a name and the reason. The output `"features"` contains pairs of a
    string `"extractor/side"` and a feature vector.

    Args:
        protocol: `Protocol`.
        modules: As for `RestoreFiles`.
    """

    def __init__(self, protocol: Protocol, modules: Sequence[str] = ()) -> None:
        self._protocol = protocol
        self._modules = modules
        self._shared = Shared()

    def setup(self) -> None:
        import_modules(self._modules)
        # Features are combined elsewhere, so this scorer accumulates no images.
        self._scorer = self._shared.acquire(lambda: Scorer(self._protocol, 2))

    def process(self, element: Any) -> Iterator[Any]:
        name, found = element
        paths = {side: sorted(found[side]) for side in SIDES}
        try:
            scores, features = self._measured(paths)
        except ImportError:
            raise
        except Exception as error:
            reason = str(error) if isinstance(error, ValueError) else reason_of(error)
            yield beam.pvalue.TaggedOutput("failed", (name, reason))
            return
        yield name, scores
        for extractor, pair in features.items():
            for side, vector in zip(SIDES, pair):
                yield beam.pvalue.TaggedOutput(
                    "features", (f"{extractor}/{side}", vector)
                )

    def _measured(self, paths):
        for side, own in paths.items():
            if len(own) != 1:
                what = f"several: {listed(own, 3)}" if own else "none"
                raise ValueError(f"it must have one {side} image, and has {what}")
            if not own[0]:
                raise ValueError(storage.NOT_TEXT)
        with storage.scratch() as folder:
            files = []
            for side in reversed(SIDES):
                (folder / side).mkdir()
                files.append(storage.local_file(paths[side][0], folder / side))
            restored, clean = read_pair(files)
        return self._scorer.measure(clean, restored)


def find_names(folder: str) -> Iterator[tuple[str, str]]:
    """Find the images of a folder.

    Args:
        folder: String.

    Yields:
        Name of an image relative to the folder, without extension, and its path. The
        path is empty if it is not valid UTF-8.

    Raises:
        ValueError: If a local folder does not exist. Object stores are not checked.
    """
    if storage.is_local(folder) and not os.path.isdir(folder):
        raise ValueError(f"Folder not found. Received: {folder!r}")
    for path in storage.files_in(f"{folder}/"):
        pure = pathlib.PurePosixPath(path[len(folder) + 1 :])
        if other_kind(pure) is None and not is_passed_over(str(pure)):
            name = pure.with_suffix("").as_posix()
            path = path if storage.is_text(path) else ""
            yield unicodedata.normalize("NFC", printable(name)), path


def _over_all(protocol, means, moments):
    """Return the scores over all images, in the protocol's order. May be empty."""
    scores: dict[str, float] = {}
    if not means and not moments:
        return scores
    for name in protocol.columns:
        if name in means:
            scores[name] = float(means[name])
        else:
            sides = (moments[f"{name[3:]}/{side}"] for side in SIDES)
            scores[name] = distance_of_moments(*sides)
    return scores


def _finish(means, output, protocol, scores, failed):
    """Write the tables, and raise if no pair was scored, as in `evaluate`."""
    failures = [{"name": n, "reason": why} for n, why in sorted(failed, key=_name)]
    if output is None:
        if not means:
            Table([], protocol, None, failures).check_scored()
        return
    rows = [{"name": name, **own} for name, own in sorted(scores, key=_name)]
    versions = {**running_versions(), "weights": protocol.weight_digests()}
    table = Table(rows, protocol, means or None, failures, versions)
    with storage.scratch() as folder:
        for path in (folder / name for name in TABLES):
            (table.to_json if path.suffix == ".json" else table.to_csv)(path)
            storage.publish(path, f"{output}/{path.name}")
    table.check_scored()


def _name(pair):
    return pair[0]
