"""Restores one file, or many: what fails is named, and the rest is done."""

import contextlib
import dataclasses
import math
import os
import pathlib
import time
import warnings
from collections.abc import Iterable
from typing import Any, NamedTuple

from keras_indi import samplers
from keras_indi.annotations import ValueLimits
from keras_indi.images import formats
from keras_indi.images.decoding import UnusableImageError, opened
from keras_indi.images.encoding import FORMATS, check_sides, write_photograph
from keras_indi.images.photograph import read_photograph
from keras_indi.images.several_pictures import other_pictures
from keras_indi.images.unusable import MAX_PIXELS
from keras_indi.inference.progress import Progress
from keras_indi.models import Restorer, checks, load_restorer
from keras_indi.presets import read_metadata
from keras_indi.restoration.comparison import compare as write_comparison
from keras_indi.restoration.failures import reason_of
from keras_indi.restoration.large_files import (
    ZARR,
    is_by_blocks,
    restore_by_blocks,
    restore_through_disk,
)
from keras_indi.restoration.outputs import find_outputs, left_out, one_output
from keras_indi.restoration.pixels import resized_alpha, restore_pixels
from keras_indi.restoration.seeds import file_seed
from keras_indi.schedules import time_grid as time_grids
from keras_indi.validation import checked_integer
from keras_indi.value_range import ValueRange

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
        left_out: Dict of endings to how many files of the folders have them, which
            are not read.
        models: List of strings, the presets or files used.
        seconds: Float.
    """

    written: list = dataclasses.field(default_factory=list)
    pictures: list = dataclasses.field(default_factory=list)
    skipped: list = dataclasses.field(default_factory=list)
    failed: dict = dataclasses.field(default_factory=dict)
    notes: dict = dataclasses.field(default_factory=dict)
    left_out: dict = dataclasses.field(default_factory=dict)
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
        if self.left_out:
            kinds = [f"{count} {kind}" for kind, count in self.left_out.items()]
            parts.append(f"files left out: {', '.join(kinds)}")
        by = f", by {' and '.join(self.models)}" if self.models else ""
        return f"{', '.join(parts)}, in {self.seconds:.1f} s{by}"


class _Reading(NamedTuple):
    """How files are read."""

    max_pixels: int | None = None
    value_range: ValueLimits | None = None
    clip: bool = False


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
    value_range: ValueLimits | None = None,
    clip: bool = False,
    max_pixels: int | None = None,
    **restore_options: Any,
) -> pathlib.Path:
    """Restores an image from file to file, of any format and of any size.

    The output is written whole or not at all, whatever ends the process, with the
    date of the input. 8 and 16 bits are restored in the model's value range, and so
    are floats, of which `value_range` says what black and white are. Other integers
    must lie in the model's range already.

    PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF and HEIC photographs keep their bits, alpha
    channel (untouched), EXIF block and orientation, XMP, IPTC, comments, colour profile
    and pixel density, as far as the output's format can hold them; what could not be
    kept is warned of. A model that
    enlarges (`model.scale`) writes as many times more pixels each way, as large
    together: their density grows. Alpha is enlarged with them, bilinear.

    TIFF that is no photograph (of more than 89 megapixels, of integers of 32 bits, or
    with its channels in pages), Zarr (`.zarr`, an array of shape `(height, width)` or
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
            is, nor an input of several pictures, or of bits or alpha that its ending
            has no room for. Defaults to `False`.
        value_range: Pair of numbers, what black and white are in a file of floats.
            Defaults to (0, 1).
        clip: Bool, whether floats outside that range are clipped, and warned of. They
            are an error by default.
        max_pixels: Int, the most pixels that are read. Defaults to no limit but for
            files that declare far more than they hold: more than 100 megabytes, and
            1000 times their own size.
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
        reading = _reading(max_pixels, value_range, clip)
        _restore(_chosen(model), job, None, False, reading, restore_options, result)
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
    name: str | None = None,
    value_range: ValueLimits | None = None,
    clip: bool = False,
    max_pixels: int | None = None,
    verbose: str | int = "auto",
    **options: Any,
) -> Result:
    """Restores image files, folders of them and patterns.

    Files are restored one after another, each as by `restore_file`, with the name
    and the format of its input. What fails is named in the result, and the rest is
    done.

    Args:
        inputs: A path or a sequence of them, as for `find_outputs`: PNG, JPEG, WebP,
            TIFF, BMP, GIF, AVIF and HEIC files, folders, patterns.
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
        name: String with `{name}` in it, the results' names: `"{name}_x4"` writes
            `photo_x4.jpg`.
        value_range: As for `restore_file`; so are `clip` and `max_pixels`.
        clip: Bool.
        max_pixels: Int.
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
    reading = _reading(max_pixels, value_range, clip)
    inputs = list(inputs)
    jobs, skipped = find_outputs(inputs, out, num_samples, existing, compare, name)
    result = Result(skipped=[job.source for job in skipped], left_out=left_out(inputs))
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
            if job.problem is not None:
                raise UnusableImageError(job.problem)
            _restore(models[preset], job, num_samples, compare, reading, own, result)
        except UnusableImageError as error:
            result.failed[job.source] = str(error)
        except ImportError:
            raise  # it would be missing for the next file too
        except Exception as error:  # backends raise of all kinds, of memory too
            result.failed[job.source] = reason_of(error)
        progress.advance()
    result.seconds = time.perf_counter() - begin
    return result


def default_preset(path):
    """The name of the preset for a file, where the user names none."""
    format = formats.EXTENSIONS.get(path.suffix.lower())
    return DEFAULT_PRESETS.get(format, OTHER_PRESET)


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


def _loses_pixels(photograph, output):
    """Whether the output's format has too few bits, or no alpha, as under a wrong
    ending."""
    format = FORMATS[output.suffix.lower()]
    deep = photograph.pixels.dtype != "uint8"
    return (deep and format in ("JPEG", "WEBP")) or (
        photograph.alpha is not None and format == "JPEG"
    )


def _not_in_place(reason):
    """Why a file is not replaced by its restoration, which holds less than it."""
    return (
        f"its restoration would not hold all of it ({reason}), and is not written in "
        "its place; give another output"
    )


def _reading(max_pixels, value_range, clip):
    checked_integer("max_pixels", max_pixels, optional=True)
    if value_range is not None:
        value_range = ValueRange(value_range).limits
    return _Reading(max_pixels, value_range, clip)


def _restore(chosen, job, num_samples, compare, reading, settings, result):
    """Restores one file by a `_Chosen`, and notes in the result what was written."""
    model = chosen.model
    others = other_pictures(job.source)
    if others is not None and job.is_in_place:
        raise UnusableImageError(_not_in_place(others))
    endings = {path.suffix.lower() for path in (job.source, job.outputs[0])}
    if ZARR in endings or is_by_blocks(job.source, reading.max_pixels):
        if num_samples is not None or compare:
            raise UnusableImageError(
                "restored by blocks, without samples and comparisons, which take the "
                "image into memory"
            )
        notes = restore_by_blocks(
            model, job.source, job.outputs[0], **reading._asdict(), **settings
        )
        _keep_date(job.source, job.outputs[0])
        result.written += job.outputs
        notes = [*(notes or []), *([others] if others is not None else [])]
        if notes:
            result.notes[job.source] = "; ".join(notes)
        return
    _check_sides(model, job, reading.max_pixels, settings.get("scale"))
    photograph = read_photograph(job.source, **reading._asdict(), most=math.inf)
    if _loses_pixels(photograph, job.outputs[0]) and job.is_in_place:
        raise UnusableImageError(_not_in_place("its bits or its alpha"))
    large = photograph.pixels[..., 0].size > MAX_PIXELS
    if large and num_samples is None and not compare:
        pixels = restore_through_disk(model, photograph.pixels, **settings)
    else:
        pixels = restore_pixels(model, photograph.pixels, num_samples, **settings)
    notes = [*photograph.notes, *_unsuited(photograph, chosen)]
    draws = [pixels] if num_samples is None else pixels
    for index, (draw, path) in enumerate(zip(draws, job.outputs)):
        restored = photograph.with_pixels(draw, resized_alpha(photograph.alpha, draw))
        lost = write_photograph(path, restored)
        _keep_date(job.source, path)
        notes += [note for note in lost if note not in notes]
        result.written.append(path)
        if compare:
            pictures = job.pictures[2 * index : 2 * index + 2]
            write_comparison(model, photograph, restored, pictures, **settings)
            result.pictures += pictures
    if notes:
        result.notes[job.source] = "; ".join(notes)


def _check_sides(model, job, max_pixels, scale):
    """Raises where the output's format cannot hold the result, before computing it."""
    format = FORMATS[job.outputs[0].suffix.lower()]
    scale = checks.checked_scale(scale, model.scale)
    with opened(job.source, max_pixels, math.inf) as stored:
        check_sides(format, scale * stored.info.height, scale * stored.info.width)


def _keep_date(source, output):
    """Gives the output the input's date of modification; not where it may not."""
    with contextlib.suppress(OSError):
        modified = source.stat().st_mtime_ns
        os.utime(output, ns=(modified, modified))


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
