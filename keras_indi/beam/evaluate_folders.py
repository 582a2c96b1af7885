"""The transform that scores a folder of restored images."""

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

SIDES = ("clean", "restored")  # in the order of features
TABLES = ("evaluation.json", "evaluation.csv")


class EvaluatedFolders(NamedTuple):
    """Scores, failures and means: three PCollections.

    Attributes:
        scores: Pairs of an image's name and the dict of its scores.
        failed: Pairs of an image's name and the reason why it is in no score.
        means: One dict of the scores over all images.
    """

    scores: Any
    failed: Any
    means: Any


class EvaluateFolders(beam.PTransform):
    """Score a folder of restored images, of any system, against clean ones.

    It is applied to a pipeline, and measures as `keras_indi.evaluation.evaluate` of two
    folders. An image pairs by its path inside its folder, without its ending. Those
    that have no partner, or cannot be scored, are in no score, and named. Where no pair
    can be scored, the pipeline fails, once the names and the reasons are written; where
    a machine does not have a folder, it fails at once.

    Args:
        restored: Path of the folder of restored images.
        clean: Path of the folder of clean images.
        protocol: A `keras_indi.evaluation.Protocol`, without KID, which keeps all
            features, and without `num_images`. Defaults to PSNR and SSIM.
        output: Path of a folder for `evaluation.json` and `evaluation.csv`, whose
            rows one worker holds in memory. Defaults to `None`, neither is written.
        modules: As for `RestoreFiles`, for metrics of your own.

    Returns:
        `EvaluatedFolders`, of PCollections.

    Raises:
        ValueError: If the protocol is none, or has what cannot be combined, a folder is
            of no file system, or `output` cannot be written.
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
        # One worker holds the rows: only where they are asked for.
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

    Takes a name, with the paths of its `"clean"` and `"restored"` image. The main
    output are pairs of the name and its dict of scores; `"failed"` are pairs of the
    name and the reason, and `"features"` are pairs of an extractor and a side with a
    vector.

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
        # What is counted in stands elsewhere: here the scorer counts no image.
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
        Name of an image within it, without its ending, and its path, which is empty
        where it cannot be written as UTF-8.

    Raises:
        ValueError: If this machine has no such folder. Object stores are not asked.
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
    """The scores over all images, in the protocol's order; none of no image."""
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
    """Write the table that `evaluate` writes, and end as it does."""
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
