"""Backend of the page: reads and restores photographs, enforces limits, cleans up."""

import contextlib
import dataclasses
import math
import pathlib
import re
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

from keras_indi.annotations import FilePath
from keras_indi.images.decoding import ImageInfo, UnusableImageError, opened
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.photograph import Photograph
from keras_indi.models import Restorer, checks
from keras_indi.page.limits import Limits
from keras_indi.page.pictures import write_draws, write_pair
from keras_indi.page.preset_choice import PresetChoice, choice_of, shipped_choices
from keras_indi.page.refused import Refused
from keras_indi.page.requested import Requested
from keras_indi.page.temporary_files import TemporaryFiles
from keras_indi.page.view import View
from keras_indi.presets.handles import PREFIX
from keras_indi.restoration.chosen_model import DEFAULT_PRESET, ChosenModel, choose
from keras_indi.restoration.comparison import VIEW, middle_of
from keras_indi.restoration.file_jobs import FileJob
from keras_indi.restoration.one_file import (
    FileOptions,
    read_job,
    restore_photograph,
    write_job,
)
from keras_indi.restoration.outputs import result_name, sample_outputs
from keras_indi.restoration.pixels import restore_pixels
from keras_indi.restoration.result import Result
from keras_indi.restoration.seeds import file_seed
from keras_indi.validation import checked_integer

RESULT = "{name}-restored"
PATIENCE = 60  # seconds, for one part of a restoration to end
ADVICE = re.compile(r"; pass `\w+`[^)]*")  # advice for Python callers
LARGE = 4  # larger than this many centres, a photograph shows its centre first


class RestorationService:
    """Restore uploaded photographs, one at a time, within limits.

    It reads, restores and writes as `restore_files` does. For the same file name,
    settings and seed, the result is that of `keras-indi restore`. Results and pictures
    are written to `files.folder`. They are deleted after `limits.keep_seconds` and by
    `close`.

    Args:
        preset: String, a handle for `load_restorer`, listed first. Defaults to `None`,
            the default of `keras-indi restore`.
        limits: `Limits`.
        dtype: As for `load_restorer`.

    Attributes:
        choices: Dict from names to `PresetChoice`, the presets on the page.
        limits: `Limits`.
        files: `TemporaryFiles`.

    Raises:
        ValueError: If there is no such preset.

    Example:

    ```python
    with keras_indi.page.RestorationService() as service:
        requested = Requested("indi_small_jpeg", num_steps=4)
        for view in service.restore("photo.jpg", requested):
            print(view.after, view.outputs)
    ```
    """

    def __init__(
        self,
        preset: str | None = None,
        limits: Limits | None = None,
        dtype: str = "auto",
    ) -> None:
        self.limits = limits or Limits()
        self._dtype = dtype
        self._lock = threading.Lock()
        self._closed = threading.Event()
        self._models: dict[str, ChosenModel] = {}
        self.choices = shipped_choices()
        self._preset = preset
        if preset is not None:
            shipped = (name for name in (preset, PREFIX + preset))
            found = next((name for name in shipped if name in self.choices), None)
            self._preset = self._offer_first(
                choice_of(preset) if found is None else self.choices[found]
            )
        most = self.limits.max_kept_megabytes * 10**6
        self.files = TemporaryFiles(self.limits.keep_seconds, most)

    def __enter__(self) -> "RestorationService":
        return self

    def __exit__(self, *exception: Any) -> None:
        self.close()

    def close(self) -> None:
        """Stop the running restoration, and delete all uploads and results."""
        self._closed.set()
        # A restoration still running would write its results after this.
        ended = self._lock.acquire(timeout=PATIENCE)
        self.files.close()
        if ended:
            self._lock.release()

    @property
    def suggested_preset(self) -> str:
        """Return the name of the preset that is used if the user chooses none."""
        return DEFAULT_PRESET if self._preset is None else self._preset

    def max_steps(self, preset: str) -> int:
        """Return the maximum number of steps of a preset."""
        return max(self.limits.max_steps, self._choice(preset).num_steps)

    def check_file(self, path: FilePath, requested: Requested) -> ImageInfo:
        """Read the header of a file.

        Args:
            path: Path of the file.
            requested: `Requested`.

        Returns:
            `ImageInfo`.

        Raises:
            Refused: If it cannot be restored as requested.
        """
        path = pathlib.Path(path)
        choice = self._checked(requested)
        with _refusing(path):
            if path.stat().st_size > self.limits.max_megabytes * 10**6:
                raise Refused(
                    f"The file is too large for this page: {_millions(path.stat())}"
                    f" megabytes, at most {self.limits.max_megabytes} are allowed."
                )
            with opened(path, most=math.inf) as stored:
                info = stored.info
        factor = (choice.scale**2 if requested.enlarge else 1) * requested.num_samples
        megapixels = info.height * info.width * factor / 1e6
        if megapixels > self.limits.max_megapixels:
            of = "" if factor == 1 else ", with all that is restored of it"
            raise Refused(
                f"The photograph is too large for this page: {info.width} x "
                f"{info.height} pixels{of}, are {megapixels:.1f} megapixels; at most "
                f"{self.limits.max_megapixels} are allowed."
            )
        return info

    def restore(
        self,
        path: FilePath,
        requested: Requested,
        progress: Callable[[int, int], Any] | None = None,
    ) -> Iterator[View]:
        """Restore a photograph.

        Args:
            path: Path of the file.
            requested: `Requested`.
            progress: Function of the finished and the total units of work.

        Yields:
            A `View` of the whole photograph. For a large photograph, a `View` of its
            centre comes first.

        Raises:
            Refused: If it cannot be restored as requested.
        """
        path, begin = pathlib.Path(path), time.perf_counter()
        self.check_file(path, requested)
        if not self.files.has_room():
            raise Refused("This page has no room for more results. Try again later.")
        with self._restoring(path):
            chosen = self._model(self._choice(requested.preset))
            settings = self._settings(path, requested, chosen.model)
            job = self._job(path, requested)
            photograph = read_job(chosen, job, None, False, FileOptions(), settings)
            if photograph is None:
                raise Refused(
                    "This kind of TIFF is not restored on a page. Restore it on the "
                    "command line: keras-indi restore"
                )
            centre = self._centre(chosen.model, photograph, job, settings)
        if centre is not None:
            yield centre
        with self._restoring(path):
            settings["verbose"] = self._reporting(progress)
            view = self._whole(chosen, photograph, job, requested, settings)
        view.seconds = time.perf_counter() - begin
        yield view

    def _checked(self, requested: Requested) -> PresetChoice:
        choice = self._choice(requested.preset)
        try:
            most = {
                "num_steps": self.max_steps(requested.preset),
                "num_samples": self.limits.max_samples,
            }
            for name, limit in most.items():
                value = getattr(requested, name)
                checked_integer(name, value, most=limit, optional=name == "num_steps")
            checked_integer("seed", requested.seed, least=0)
        except ValueError as error:
            raise Refused(str(error)) from error
        return choice

    def _choice(self, name: str) -> PresetChoice:
        if not isinstance(name, str) or name not in self.choices:
            raise Refused(
                f"This page offers {', '.join(self.choices)}. Received: preset={name!r}"
            )
        return self.choices[name]

    def _offer_first(self, choice: PresetChoice) -> str:
        """Load a preset, list it first, and return its name."""
        model = self._model(choice).model
        choice.scale = model.scale
        choice.num_steps = model.restore_defaults["num_steps"]
        self.choices = {choice.name: choice, **self.choices}
        return choice.name

    def _model(self, choice: PresetChoice) -> ChosenModel:
        if choice.handle not in self._models:
            chosen = choose(choice.handle, self._dtype)
            self._models[choice.handle] = chosen._replace(name=choice.name)
        return self._models[choice.handle]

    def _settings(
        self, path: pathlib.Path, requested: Requested, model: Restorer
    ) -> dict[str, Any]:
        if requested.num_samples > 1 and not checks.draws_differ(model):
            raise Refused(
                "This preset adds no noise, so that all draws are equal. Ask for one."
            )
        settings: dict[str, Any] = {"seed": file_seed(requested.seed, path.name)}
        if requested.num_steps is not None:
            settings["num_steps"] = requested.num_steps
        if not requested.enlarge:
            settings["scale"] = 1
        return {**settings, "verbose": 0}

    def _job(self, path: pathlib.Path, requested: Requested) -> FileJob:
        # A file without an extension, or with a wrong one, becomes PNG.
        known = path.suffix.lower() in EXTENSIONS
        name = result_name(path.name if known else f"{path.name}.png", RESULT)
        several = requested.num_samples if requested.num_samples > 1 else None
        output = self.files.new_folder() / name
        job = FileJob(path, path.name, sample_outputs(output, several), [])
        if job.problem is not None:
            raise Refused(f"{job.problem[0].upper()}{job.problem[1:]}.")
        return job

    def _centre(
        self,
        model: Restorer,
        photograph: Photograph,
        job: FileJob,
        settings: dict[str, Any],
    ) -> View | None:
        """Restore the centre of a large photograph."""
        scale = settings.get("scale", model.scale)
        side = VIEW // scale
        if photograph.pixels[..., 0].size <= LARGE * side**2:
            return None
        crop = middle_of(photograph.upright, side)
        centre = dataclasses.replace(photograph, pixels=crop, alpha=None, orientation=1)
        restored = centre.with_pixels(restore_pixels(model, crop, **settings), None)
        pair = write_pair(job.outputs[0].parent, "centre", centre, restored)
        height, width = restored.upright.shape[:2]
        return View(*pair, False, height, width)

    def _whole(
        self,
        chosen: ChosenModel,
        photograph: Photograph,
        job: FileJob,
        requested: Requested,
        settings: dict[str, Any],
    ) -> View:
        """Restore the whole photograph, and write it."""
        num_samples = requested.num_samples if requested.num_samples > 1 else None
        pixels = restore_photograph(
            chosen.model, photograph, num_samples, False, settings
        )
        draws = [pixels] if num_samples is None else list(pixels)
        result = Result()
        write_job(
            chosen, job, photograph, draws, False, FileOptions(), settings, result
        )
        restored = [photograph.with_pixels(draw, None) for draw in draws]
        folder = job.outputs[0].parent
        pair = write_pair(folder, "photograph", photograph, restored[0])
        height, width = restored[0].upright.shape[:2]
        view = View(*pair, True, height, width, result.written)
        if num_samples is not None:
            view.draws, view.spread, view.largest_spread = write_draws(folder, restored)
        view.notes = list(result.notes.values())
        return view

    @contextlib.contextmanager
    def _restoring(self, path: pathlib.Path) -> Iterator[None]:
        """A context that allows one restoration at a time and translates its errors."""
        with self._lock, _refusing(path):
            self._check_open()
            yield

    def _check_open(self) -> None:
        if self._closed.is_set():
            raise Refused("The page has ended.")

    def _reporting(self, progress: Callable[[int, int], Any] | None) -> Callable:
        """Return a function that reports progress, and stops the work on `close`."""

        def report(done: int, total: int) -> None:
            self._check_open()
            if progress is not None:
                progress(done, total)

        return report


@contextlib.contextmanager
def _refusing(path: pathlib.Path) -> Iterator[None]:
    """A context that turns errors about a file into `Refused`, without its folder."""
    try:
        yield
    except Refused:
        raise
    except UnusableImageError as error:
        reason = str(error).replace(str(path), path.name)
        reason = ADVICE.sub("", reason)
        raise Refused(f"This file cannot be restored: {reason}.") from error
    except FileNotFoundError as error:
        raise Refused("The photograph is no longer here. Upload it again.") from error
    except ImportError as error:  # its message names a pip command
        raise Refused(f"{error}.") from error
    except MemoryError as error:
        raise Refused("There is not enough memory for this photograph.") from error


def _millions(status):
    return f"{status.st_size / 1e6:.0f}"
