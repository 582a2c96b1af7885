"""Restores one file, or many: what fails is named, and the rest is done."""

import dataclasses
import pathlib
import time
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

from keras_indi import samplers
from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.encoding import FORMATS, write_photograph
from keras_indi.images.photograph import read_photograph
from keras_indi.inference.progress import Progress
from keras_indi.models import Restorer, checks, load_restorer
from keras_indi.presets import read_metadata
from keras_indi.restoration.comparison import compare as write_comparison
from keras_indi.restoration.large_files import ZARR, is_by_blocks, restore_by_blocks
from keras_indi.restoration.outputs import find_outputs, one_output
from keras_indi.restoration.pixels import resized_alpha, restore_pixels
from keras_indi.restoration.seeds import file_seed
from keras_indi.schedules import time_grid as time_grids
from keras_indi.validation import checked_integer

# Without a model: by the format, as compression is what a JPEG surely suffered.
DEFAULT_PRESETS = {"JPEG": "indi_small_jpeg"}
OTHER_PRESET = "indi_small_denoise"


@dataclasses.dataclass
class Result:
    """What became of the files.

    Attributes:
        written: List of paths, the restored files.
        pictures: List of paths, the comparisons.
        skipped: List of paths of inputs, whose results were there.
        failed: Dict of input's path to the reason.
        notes: Dict of input's path to a sentence, what a file could not keep.
        models: List of strings, the presets or files used.
        seconds: Float.
    """

    written: list = dataclasses.field(default_factory=list)
    pictures: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    failed: dict = dataclasses.field(default_factory=dict)
    notes: dict = dataclasses.field(default_factory=dict)
    models: list = dataclasses.field(default_factory=list)
    seconds: float = 0.0

    def report(self):
        """A sentence on how many files were restored, skipped and failed."""
        parts = [f"{len(self.written)} written"]
        if self.pictures:
            parts.append(f"{len(self.pictures)} pictures")
        if self.skipped:
            parts.append(f"{len(self.skipped)} skipped, as their results are there")
        if self.failed:
            parts.append(f"{len(self.failed)} failed")
        by = f", by {' and '.join(self.models)}" if self.models else ""
        return f"{', '.join(parts)}, in {self.seconds:.1f} s{by}"


class _Chosen(NamedTuple):
    """A model, and what is known of it by its name."""

    model: Restorer
    name: str | None = None
    jpeg_quality: tuple[int, int] = (1, 100)  # of files that it suits


def restore_file(
    model: Restorer | str | pathlib.Path,
    input_path: str | pathlib.Path,
    output_path: str | pathlib.Path,
    *,
    overwrite: bool = False,
    **restore_options: Any,
) -> pathlib.Path:
    """Restores an image from file to file, of any format and of any size.

    The output is written whole or not at all, whatever ends the process. 8 and 16
    bits are restored in the model's value range; floats and other integers must lie
    in it already.

    PNG, JPEG, WebP and TIFF photographs keep their bits, alpha channel (untouched),
    EXIF block and orientation, colour profile and pixel density, as far as the
    output's format can hold them; what could not be kept is warned of. A model that
    enlarges (`model.scale`) writes as many times more pixels each way, as large
    together: their density grows. Alpha is enlarged with them, bilinear.

    TIFF that is no photograph (of more than 89 megapixels, of 32 bits, or with its
    channels in pages), Zarr (`.zarr`, an array of shape `(height, width)` or
    `(height, width, channels)`) and OME-Zarr (`.ome.zarr`, the full resolution of an
    image of one time and one plane) are restored in bounded memory, to any of these
    formats: read by blocks, restored in tiles where they do not fit `max_memory`,
    kept on disk (in the folder of the environment variable `TMPDIR`), and written by
    tiles. From TIFF to TIFF, the colour profile, the resolution and the orientation
    are carried over; from OME-Zarr to OME-Zarr, the pixels' size.

    Args:
        model: A `keras_indi.models.Restorer`, or what `load_restorer` takes.
        input_path: Path of the image.
        output_path: Path of the result, whose ending chooses the format. Its folder
            is made.
        overwrite: Bool, whether a file there is replaced, be it the input. Zarr never
            is. Defaults to `False`.
        **restore_options: Further arguments of `model.restore`: `num_steps`, `seed`,
            `max_memory` and so on.

    Returns:
        `pathlib.Path` of the output.

    Raises:
        ValueError: If the image cannot be used or does not suit the model, the output
            is there already or has no such format, or an argument is not valid.
        ImportError: If Pillow, OpenCV, tifffile or zarr is missing.

    Example:

    ```python
    restore_file(model, "photo.jpg", "restored.png", num_steps=4)
    restore_file(model, "slide.tif", "restored.ome.zarr", max_memory=2 * 2**30)
    ```
    """
    for name in ("images", "out", "num_samples", "return_trajectory"):
        if name in restore_options:
            raise ValueError(
                "`restore_file` restores one image, once, into a file. Received: "
                f"{name}={restore_options[name]!r}"
            )
    job = one_output(input_path, output_path, overwrite)
    result = Result()
    try:
        _restore(_chosen(model), job, None, False, restore_options, result)
    except UnusableImageError as error:
        raise UnusableImageError(f"{error}. Received: {str(job.source)!r}") from error
    for note in result.notes.values():
        warnings.warn(f"{job.source}: {note}", stacklevel=2)
    return result.written[0]


def restore_files(
    inputs: str | pathlib.Path | Iterable[str | pathlib.Path],
    out: str | pathlib.Path | None = None,
    model: Restorer | str | pathlib.Path | None = None,
    *,
    num_steps: int | None = None,
    sampler: Any = None,
    time_grid: Any = None,
    time_shift: float | None = None,
    num_samples: int | None = None,
    scale: int | None = None,
    seed: int = 0,
    dtype: str = "auto",
    existing: str = "refuse",
    compare: bool = False,
    verbose: str | int = "auto",
    **options: Any,
) -> Result:
    """Restores image files, folders of them and patterns.

    Files are restored one after another, each as by `restore_file`, with the name
    and the format of its input. What fails is named in the result, and the rest is
    done.

    Args:
        inputs: A path or a sequence of them, as for `find_outputs`: PNG, JPEG, WebP
            and TIFF files of 8 or 16 bits, folders, patterns.
        out: Path of the results' folder, or of the one result, as for
            `find_outputs`. Defaults to beside the inputs.
        model: A `keras_indi.models.Restorer`, or what `load_restorer` takes. Defaults
            to the preset `indi_small_jpeg` for JPEG files and `indi_small_denoise`
            for others.
        num_steps: As for `InDI.restore`; so are `sampler`, `time_grid` and
            `time_shift`. `None` is the model's own recommendation.
        num_samples: Int, how many restorations to draw and write of each file.
            Defaults to one.
        scale: As for `InDI.restore`: 1 for images that were enlarged already.
            Defaults to the model's.
        seed: Int, fixes the noise, of a file by its name: see `file_seed`. A file's
            result does not depend on the others.
        dtype: As for `load_restorer`. A model that is given is taken as it is.
        existing: `"refuse"`, `"skip"` or `"overwrite"`, as for `find_outputs`.
        compare: Bool, whether to write two pictures beside each result, as
            `compare` does.
        verbose: `"auto"`, a progress bar for what takes longer than some seconds,
            `1` at once, `0` never.
        **options: Further arguments of `InDI.restore`: `tile_size`, `max_memory`,
            `batch_size`.

    Returns:
        A `Result`.

    Raises:
        ValueError: If an argument is not valid, before any file is read.
        ImportError: If Pillow or OpenCV is missing.

    Example:

    ```python
    result = restore_files("holiday", "restored", "indi_small_jpeg", num_steps=4)
    print(result.report())
    ```
    """
    begin = time.perf_counter()
    if isinstance(inputs, (str, pathlib.Path)):
        inputs = [inputs]
    _check_settings(num_steps, sampler, time_grid, time_shift, num_samples, seed)
    jobs, skipped = find_outputs(inputs, out, num_samples, existing, compare)
    result = Result(skipped=[job.source for job in skipped])
    given = {
        "num_steps": num_steps,
        "sampler": sampler,
        "time_grid": time_grid,
        "time_shift": time_shift,
        "scale": scale,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    settings |= options
    models = _models(jobs, model, dtype)
    result.models = [str(n) for n in models if isinstance(n, (str, pathlib.Path))]
    # A single file's bar counts its steps, that of several counts them.
    single = len(jobs) == 1
    settings["verbose"] = verbose if single else 0
    progress = Progress(len(jobs), 0 if single else verbose, unit="image")
    for job in jobs:
        preset = default_preset(job.source) if model is None else model
        own = {**settings, "seed": file_seed(seed, job.name)}
        try:
            _restore(models[preset], job, num_samples, compare, own, result)
        except UnusableImageError as error:
            result.failed[job.source] = str(error)
        except ImportError:
            raise  # it would be missing for the next file too
        except Exception as error:  # backends raise of all kinds, of memory too
            first = str(error).strip().partition("\n")[0]
            result.failed[job.source] = f"{type(error).__name__}: {first}"
        progress.advance()
    result.seconds = time.perf_counter() - begin
    return result


def default_preset(path):
    """The name of the preset for a file, where the user names none."""
    return DEFAULT_PRESETS.get(FORMATS.get(path.suffix.lower()), OTHER_PRESET)


def _models(jobs, model, dtype):
    """Dict of what names a model to the `_Chosen`, for all files, loaded before any."""
    if model is None:
        names = dict.fromkeys(default_preset(job.source) for job in jobs)
        return {name: _chosen(name, dtype) for name in names}
    if isinstance(model, (str, pathlib.Path)) and not jobs:
        return {model: None}
    return {model: _chosen(model, dtype)}


def _chosen(model, dtype="auto"):
    if not isinstance(model, (str, pathlib.Path)):
        return _Chosen(model)
    loaded = load_restorer(model, dtype)
    try:
        metadata = read_metadata(model)
    except ValueError:  # a file of a model, which has none
        metadata = {}
    qualities = metadata.get("jpeg_quality", (1, 100))
    return _Chosen(loaded, str(model), qualities)


def _unsuited(photograph, chosen):
    """Notes on a photograph that lies outside what a model was trained on."""
    low, high = chosen.jpeg_quality
    quality = photograph.jpeg_quality
    if quality is None or low <= quality <= high:
        return []
    return [
        f"a JPEG of quality {quality}, and {chosen.name} was trained on {low} to {high}"
    ]


def _restore(chosen, job, num_samples, compare, settings, result):
    """Restores one file by a `_Chosen`, and notes in the result what was written."""
    model = chosen.model
    endings = {path.suffix.lower() for path in (job.source, job.outputs[0])}
    if ZARR in endings or is_by_blocks(job.source):
        if num_samples is not None or compare:
            raise UnusableImageError(
                "restored by blocks, without samples and comparisons, which take the "
                "image into memory"
            )
        restore_by_blocks(model, job.source, job.outputs[0], **settings)
        result.written += job.outputs
        return
    photograph = read_photograph(job.source)
    pixels = restore_pixels(model, photograph.pixels, num_samples, **settings)
    notes = [*photograph.notes, *_unsuited(photograph, chosen)]
    draws = [pixels] if num_samples is None else pixels
    for index, (draw, path) in enumerate(zip(draws, job.outputs)):
        restored = photograph.with_pixels(draw, resized_alpha(photograph.alpha, draw))
        lost = write_photograph(path, restored)
        notes += [note for note in lost if note not in notes]
        result.written.append(path)
        if compare:
            pictures = job.pictures[2 * index : 2 * index + 2]
            write_comparison(model, photograph, restored, pictures, **settings)
            result.pictures += pictures
    if notes:
        result.notes[job.source] = "; ".join(notes)


def _check_settings(num_steps, sampler, time_grid, time_shift, num_samples, seed):
    """Raises what every file would raise."""
    checked_integer("num_steps", num_steps, optional=True)
    checked_integer("num_samples", num_samples, optional=True)
    checked_integer("seed", seed, least=0)
    if sampler is not None:
        samplers.get(sampler)
    if time_grid is not None:
        time_grids.get(time_grid)
    if time_shift is not None:
        checks.checked_time_shift(time_shift)
