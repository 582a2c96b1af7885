"""Restores one file, or many: what fails is named, and the rest is done."""

import pathlib
import time
import warnings
from collections.abc import Callable, Iterable
from typing import Any

from keras_indi import samplers
from keras_indi.annotations import ValueLimits
from keras_indi.backend.runtimes import check_runtime
from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.image_files import listed
from keras_indi.images.whole_writes import remove_left_overs
from keras_indi.inference.progress import Progress
from keras_indi.models import Restorer, checks
from keras_indi.restoration.chosen_model import DEFAULT_PRESET, choose
from keras_indi.restoration.failures import reason_of
from keras_indi.restoration.one_file import FileOptions, restore_job
from keras_indi.restoration.outputs import find_outputs, one_output
from keras_indi.restoration.result import Result
from keras_indi.restoration.seeds import file_seed
from keras_indi.schedules import time_grid as time_grids
from keras_indi.validation import checked_integer


def restore_file(
    model: Restorer | str | pathlib.Path,
    input_path: str | pathlib.Path,
    output_path: str | pathlib.Path,
    *,
    overwrite: bool = False,
    value_range: ValueLimits | None = None,
    clip: bool = False,
    max_pixels: int | None = None,
    quality: int | None = None,
    **restore_options: Any,
) -> pathlib.Path:
    """Restore an image from file to file, of any format and of any size.

    The output is written whole or not at all, whatever ends the process, with the
    date of the input. Images of 8 and 16 bits are scaled to the model's value range,
    and so are floats, whose black and white are `value_range`. Other integers must be
    in the model's range already.

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
    tiles. From TIFF to TIFF, all is carried over but EXIF of the exposure and place;
    from OME-Zarr to OME-Zarr, the pixels' size.

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
        quality: Int in [1, 100], of JPEG and WebP outputs. Defaults to 95 for WebP,
            and for JPEG to 90, or the input's if it is a JPEG of a higher quality.
        **restore_options: Further arguments of `model.restore`: `num_steps`, `seed`,
            `max_memory` and so on.

    Returns:
        `pathlib.Path` of the output.

    Raises:
        ValueError: If the image cannot be used or does not suit the model, the output
            exists or has no such format, or an argument is not valid.
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
        file_options = FileOptions.checked(max_pixels, value_range, clip, quality)
        chosen = choose(model, engine=restore_options.get("engine"))
        restore_job(chosen, job, None, False, file_options, restore_options, result)
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
    engine: str | None = None,
    existing: str = "refuse",
    compare: bool = False,
    name: str | None = None,
    value_range: ValueLimits | None = None,
    clip: bool = False,
    max_pixels: int | None = None,
    quality: int | None = None,
    shard: tuple[int, int] | None = None,
    verbose: str | int | Callable[[int, int], Any] = "auto",
    on_file: Callable[[Result, int], None] | None = None,
    **options: Any,
) -> Result:
    """Restore image files, folders of them and patterns.

    Files are restored one after another, each as by `restore_file`, with the name
    and the format of its input. What fails is named in the result, and the rest is
    done. What killed runs of this machine have left in the folders of the results is
    removed.

    Args:
        inputs: A path or a sequence of them, as for `find_outputs`: PNG, JPEG, WebP,
            TIFF, BMP, GIF, AVIF and HEIC files, folders, patterns.
        out: Path of the results' folder, or of the one result, as for
            `find_outputs`. Defaults to beside the inputs.
        model: A `keras_indi.models.Restorer`, or what `load_restorer` takes. Defaults
            to the preset `indi_small_blind`.
        num_steps: As for `InDI.restore`; so are `sampler`, `time_grid` and
            `time_shift`. `None` is the model's own recommendation.
        num_samples: Int, how many restorations to draw and write of each file.
            Defaults to one.
        scale: As for `InDI.restore`: 1 for images that were enlarged already.
            Defaults to the model's.
        seed: Int, fixes the noise, of a file by its name: see `file_seed`. A file's
            result does not depend on the others.
        dtype: As for `load_restorer`. A model that is given is taken as it is.
        engine: As for `InDI.restore`.
        existing: `"refuse"`, `"skip"` or `"overwrite"`, as for `find_outputs`.
        compare: Bool, whether to write two pictures beside each result, as
            `compare` does.
        name: String with `{name}` in it, the results' names: `"{name}_x4"` writes
            `photo_x4.jpg`.
        value_range: As for `restore_file`; so are `clip`, `max_pixels` and
            `quality`.
        clip: Bool.
        max_pixels: Int.
        quality: Int.
        shard: Pair of ints, `(index, count)`: restores every `count`-th file from
            `index` on, in the order of their names, for `count` processes or
            machines of which each does its part. Defaults to all files.
        verbose: `"auto"`, a progress bar for what takes longer than some seconds,
            `1` at once, `0` never; or a function, as for `InDI.restore`.
        on_file: Function that is called after each file, with the `Result` of this
            file only and the number of files that are left.
        **options: Further arguments of `InDI.restore`: `tile_size`, `max_memory`,
            `batch_size`.

    Returns:
        A `Result`.

    Raises:
        ValueError: If an argument is not valid, before any file is read.
        ImportError: If Pillow or OpenCV is missing, or what `engine` needs.

    Example:

    ```python
    result = restore_files("holiday", "restored", "indi_small_jpeg", num_steps=4)
    print(result.report())
    ```
    """
    begin = time.perf_counter()
    check_settings(
        num_steps,
        sampler,
        time_grid,
        time_shift,
        num_samples,
        seed,
        scale=scale,
        **options,
    )
    if engine is not None:
        check_runtime(engine)
    if on_file is not None and not callable(on_file):
        raise ValueError(f"`on_file` must be a function. Received: on_file={on_file!r}")
    file_options = FileOptions.checked(max_pixels, value_range, clip, quality)
    found = find_outputs(inputs, out, num_samples, existing, compare, name, shard)
    jobs = found.jobs
    for folder in {path.parent for job in jobs for path in job.results}:
        stays = remove_left_overs(folder, alone=False)
        if stays:
            warnings.warn(
                "Temporary files of runs elsewhere are more than a day old, and may be "
                f"deleted where those have ended: {listed(stays, 3)}",
                stacklevel=2,
            )
    result = Result(
        skipped=[job.source for job in found.skipped], left_out=found.left_out
    )
    if found.closed:
        closed = Result(failed=found.closed)
        result.add(closed)
        if on_file is not None:
            on_file(closed, len(jobs))
    given = {
        "num_steps": num_steps,
        "sampler": sampler,
        "time_grid": time_grid,
        "time_shift": time_shift,
        "scale": scale,
        "engine": engine,
    }
    settings = {name: value for name, value in given.items() if value is not None}
    settings |= options
    if jobs:
        chosen = choose(DEFAULT_PRESET if model is None else model, dtype, engine)
        if chosen.name is not None:
            steps = num_steps or chosen.model.restore_defaults["num_steps"]
            result.models[chosen.name] = steps
    # A single file's bar counts its steps, that of several counts them.
    single = len(jobs) == 1
    settings["verbose"] = verbose if single else 0
    progress = Progress(len(jobs), 0 if single else verbose, unit="image")
    for index, job in enumerate(jobs):
        one = Result()
        own = {**settings, "seed": file_seed(seed, job.name)}
        try:
            if job.problem is not None:
                raise UnusableImageError(job.problem)
            restore_job(chosen, job, num_samples, compare, file_options, own, one)
        except ImportError:
            raise  # it would be missing for the next file too
        except Exception as error:  # backends raise of all kinds, of memory too
            one.failed[job.source] = reason_of(error)
        result.add(one)
        progress.advance()
        if on_file is not None:
            on_file(one, len(jobs) - 1 - index)
    result.seconds = time.perf_counter() - begin
    return result


def check_settings(
    num_steps: int | None,
    sampler: Any,
    time_grid: Any,
    time_shift: float | None,
    num_samples: int | None,
    seed: int,
    **options: Any,
) -> None:
    """Raise what every file would raise; the arguments are of `restore_files`."""
    for name in ("scale", "batch_size", "max_memory"):
        checked_integer(name, options.get(name), optional=True)
    checks.check_tiles(options.get("tile_size"), options.get("tile_overlap"))
    checked_integer("num_steps", num_steps, optional=True)
    checked_integer("num_samples", num_samples, optional=True)
    checked_integer("seed", seed, least=0)
    if sampler is not None:
        samplers.get(sampler)
    if time_grid is not None:
        time_grids.get(time_grid)
    if time_shift is not None:
        checks.checked_time_shift(time_shift)
