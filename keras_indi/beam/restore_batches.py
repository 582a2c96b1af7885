"""Restore files on a worker, in batches of one compiled size."""

import collections
import pathlib
import time
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

from keras_indi.beam import storage
from keras_indi.beam.apache import Metrics, Shared, beam, windowed_value
from keras_indi.beam.counters import NAMESPACE, Amount
from keras_indi.beam.loaded_model import LoadedModel
from keras_indi.beam.outcomes import FAILED, RESTORED, Outcome
from keras_indi.images import chunked_files
from keras_indi.images.photograph import Photograph
from keras_indi.models.fixed_shapes import batch_shape
from keras_indi.restoration.failures import is_missing_for_all, reason_of
from keras_indi.restoration.file_jobs import FileJob
from keras_indi.restoration.one_file import (
    FileOptions,
    is_large,
    read_job,
    restore_blocks_job,
    restore_photograph,
    write_job,
)
from keras_indi.restoration.pixels import file_pixels, model_images
from keras_indi.restoration.result import Result
from keras_indi.restoration.seeds import file_seed

# Arguments of `restore` that determine the shape of batches.
SHAPING = ("scale", "batch_size", "tile_size", "tile_overlap", "max_memory")


class Waiting(NamedTuple):
    """A file that has been read and waits for others of its compiled size.

    Attributes:
        path: String, path of the degraded image.
        name: String, from which its seed is derived.
        output: String, path of the result.
        photograph: `Photograph`.
    """

    path: str
    name: str
    output: str
    photograph: Photograph


class RestoreBatches(beam.DoFn):
    """Restore files, and write their results.

    Inputs are triples of the path of a file, its name and the path of its result.
    Outputs are their `Outcome`. Images of one compiled size are restored together. If a
    batch fails, its images are restored separately.

    Args:
        preset: As for `load_restorer`.
        dtype: As for `load_restorer`.
        file_options: `FileOptions`.
        seed: Int, seed of the whole run.
        settings: Dict of further arguments of `model.restore`, including
            `max_memory`.
        modules: As for `RestoreFiles`.
    """

    def __init__(
        self,
        preset: str,
        dtype: str,
        file_options: FileOptions,
        seed: int,
        settings: dict[str, Any],
        modules: Sequence[str] = (),
    ) -> None:
        self._preset = preset
        self._dtype = dtype
        self._modules = modules
        self._file_options = file_options
        self._seed = seed
        self._settings = {**settings, "fixed_shapes": True, "verbose": 0}
        self._shared = Shared()

    def setup(self) -> None:
        self._loaded = self._shared.acquire(
            lambda: LoadedModel(self._preset, self._dtype, self._modules)
        )
        self._seconds, self._megapixels = Amount("seconds"), Amount("megapixels")
        self._restored = Metrics.counter(NAMESPACE, RESTORED)
        self._failed = Metrics.counter(NAMESPACE, FAILED)

    def start_bundle(self) -> None:
        self._waiting: dict[Any, list[Waiting]] = collections.defaultdict(list)

    def process(self, element: Any) -> Iterator[Any]:
        path, name, output = element
        begin = time.perf_counter()
        try:
            photograph = self._read_or_restore(path, name, output)
        except Exception as error:
            if is_missing_for_all(error):
                raise
            yield self._failure(path, output, error)
        else:
            if isinstance(photograph, Outcome):
                yield photograph
            else:
                file = Waiting(path, name, output, photograph)
                yield from self._restore_if_full(file)
        self._seconds.add(time.perf_counter() - begin)

    def finish_bundle(self) -> Iterator[Any]:
        begin = time.perf_counter()
        for batch in self._waiting.values():
            for outcome in self._restore(batch):
                yield windowed_value(outcome)
        self._waiting.clear()
        self._seconds.add(time.perf_counter() - begin)

    # === Parts ===

    def _read_or_restore(self, path, name, output):
        """Return the photograph of a file, or its outcome if restored in blocks."""
        chosen, file_options = self._loaded.chosen, self._file_options
        with storage.scratch() as folder:
            source = storage.local_file(path, folder)
            job = _job(source, name, output, folder)
            photograph = read_job(
                chosen, job, None, False, file_options, self._settings
            )
            if photograph is not None:
                return photograph
            result = Result()
            with chunked_files.opened(source, file_options.max_pixels) as image:
                height, width = image.shape[:2]
            with self._loaded.lock:
                restore_blocks_job(chosen, job, file_options, self._own(name), result)
            return self._published(path, output, job, result, height * width)

    def _restore_if_full(self, file):
        """Add a file to its batch, and restore the batch if it is full."""
        shape = self._batch_shape(file.photograph)
        if shape is None:
            yield from self._restore([file])
            return
        waiting = self._waiting[shape]
        waiting.append(file)
        if len(waiting) == shape[0]:
            del self._waiting[shape]
            yield from self._restore(waiting)

    def _batch_shape(self, photograph):
        """Return the batch shape of a photograph, or `None` if it is restored alone."""
        model = self._loaded.chosen.model
        if is_large(photograph) or photograph.pixels.shape[-1] > (
            model.image_channels or photograph.pixels.shape[-1]
        ):
            return None
        options = {
            name: self._settings[name] for name in SHAPING if name in self._settings
        }
        with self._loaded.lock:  # the first call creates state that threads share
            return batch_shape(model, *photograph.pixels.shape[:2], **options)

    def _restore(self, batch):
        """Restore and write a batch, or each image separately if the batch fails."""
        try:
            restored = self._pixels(batch)
        except Exception as error:
            if is_missing_for_all(error):
                raise
            if len(batch) == 1:
                yield self._failure(batch[0].path, batch[0].output, error)
                return
            for file in batch:
                yield from self._restore([file])
            return
        for file, pixels in zip(batch, restored):
            try:
                yield self._written(file, pixels)
            except Exception as error:
                if is_missing_for_all(error):
                    raise
                yield self._failure(file.path, file.output, error)

    def _pixels(self, batch):
        """Return the restored pixels of each photograph of a batch."""
        model = self._loaded.chosen.model
        if len(batch) == 1:
            ((_, name, _, photograph),) = batch
            with self._loaded.lock:
                own = self._own(name)
                return [restore_photograph(model, photograph, None, False, own)]
        images = [file.photograph.pixels for file in batch]
        planes = [image for pixels in images for image in model_images(model, pixels)]
        seeds = [file_seed(self._seed, file.name) for file in batch]
        restored = self._loaded.restore(planes, seed=seeds, **self._settings)
        return [file_pixels(model, [r], pixels) for r, pixels in zip(restored, images)]

    def _written(self, file, pixels):
        chosen, result = self._loaded.chosen, Result()
        with storage.scratch() as folder:
            # The source is only used for its date, which few object stores keep.
            job = _job(pathlib.Path(file.path), file.name, file.output, folder)
            options = (False, self._file_options, self._settings)
            write_job(chosen, job, file.photograph, [pixels], *options, result)
            area = file.photograph.pixels[..., 0].size
            return self._published(file.path, file.output, job, result, area)

    def _published(self, path, output, job, result, pixels):
        storage.publish(job.outputs[0], output)
        self._restored.inc()
        self._megapixels.add(pixels / 1e6)
        return Outcome(path, output, RESTORED, note=result.notes.get(job.source))

    def _failure(self, path, output, error):
        self._failed.inc()
        return Outcome(path, output, FAILED, reason_of(error))

    def _own(self, name):
        """Return the arguments of `restore` for one file."""
        return {**self._settings, "seed": file_seed(self._seed, name)}


def _job(source, name, output, folder):
    """Return a `FileJob` that writes a local file, which is published later."""
    ending = pathlib.PurePosixPath(output).suffix
    return FileJob(source, name, [folder / f"restored{ending}"], [])
