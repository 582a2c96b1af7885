"""Restore one file or many. Failed files are reported, and the others restored."""

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
from keras_indi.restoration.failures import is_missing_for_all, reason_of
from keras_indi.restoration.file_jobs import identity
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
    """Restore an image file of any supported format and any size.

    The output is written atomically, with the modification time of the input. 8-bit and
    16-bit images are scaled to the model's value range. Floats are scaled from
    `value_range`. Other integers must already be in the model's range.

    PNG, JPEG, WebP, TIFF, BMP, GIF, AVIF and HEIC photographs keep their bit depth,
    alpha channel (not restored), EXIF block and orientation, XMP, IPTC, comments,
    colour profile and pixel density, if the output format supports them. A warning
    lists what could not be kept. A super-resolution model multiplies height and width
    by `model.scale` and keeps the physical size, so the pixel density increases. Alpha
    is enlarged by bilinear interpolation.

    The following files are restored in bounded memory, to any of these formats:

    - TIFF that is not a photograph: more than 89 megapixels, 32-bit integers, or
      channels in separate pages.
    - Zarr (`.zarr`): an array of shape `(height, width)` or
      `(height, width, channels)`.
    - OME-Zarr (`.ome.zarr`): the full resolution of an image of one time and one plane.

    They are read in blocks, and restored in tiles if they do not fit in `max_memory`.
    The result is kept on disk, in the folder of the environment variable `TMPDIR`, and
    written in tiles. From TIFF to TIFF, all metadata is kept except EXIF of exposure
    and location. From OME-Zarr to OME-Zarr, the pixel size is kept.

    Args:
        model: A `keras_indi.models.Restorer`, or any argument of `load_restorer`.
        input_path: Path of the image.
        output_path: Path of the output. Its extension selects the format. Its folder
            is created.
        overwrite: Bool, whether to overwrite an existing file, including the input.
            Zarr folders are never overwritten. Neither are inputs with several images,
            or with a bit depth or alpha that the output format does not support.
            Defaults to `False`.
        value_range: Pair of numbers, values of black and white in a float file.
            Defaults to (0, 1).
        clip: Bool, whether to clip floats outside that range, with a warning. By
            default they are an error.
        max_pixels: Int, maximum number of pixels to read. By default, only files that
            declare more than 100 megabytes, and more than 1000 times their own size,
            are refused.
        quality: Int in [1, 100], for JPEG and WebP outputs. Defaults to 95 for WebP.
            Defaults to 90 for JPEG, or to the quality of a JPEG input if that is
            higher.
        **restore_options: Further arguments of `model.restore`: `num_steps`, `seed`,
            `max_memory` and so on.

    Returns:
        `pathlib.Path` of the output.

    Raises:
        ValueError: If the image cannot be used or does not match the model, the output
            exists or has an unsupported format, or an argument is not valid.
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

    Files are restored one after another, as by `restore_file`, and keep their name and
    format. Failed files are listed in the result, and the others are restored.
    Temporary files that killed runs on this machine left in the output folders are
    removed.

    Args:
        inputs: A path or a sequence of them, as for `find_outputs`: PNG, JPEG, WebP,
            TIFF, BMP, GIF, AVIF and HEIC files, folders, patterns.
        out: Path of the output folder, or of a single output, as for `find_outputs`.
            By default, outputs are written next to the inputs.
        model: A `keras_indi.models.Restorer`, or any argument of `load_restorer`.
            Defaults to the preset `indi_small_blind`.
        num_steps: As for `InDI.restore`; so are `sampler`, `time_grid` and
            `time_shift`. `None` uses the recommendation of the model.
        num_samples: Int, number of restorations to draw and write per file. Defaults
            to one.
        scale: As for `InDI.restore`: 1 for images that are already enlarged. Defaults
            to the scale of the model.
        seed: Int, seed of the noise. The noise of a file also depends on its name (see
            `file_seed`), and not on the other files.
        dtype: As for `load_restorer`. Ignored if `model` is a `Restorer`.
        engine: As for `InDI.restore`.
        existing: `"refuse"`, `"skip"` or `"overwrite"`, as for `find_outputs`.
        compare: Bool, whether to write two comparison images next to each output, as
            by `compare`.
        name: String that contains `{name}`, template of the output names:
            `"{name}_x4"` writes `photo_x4.jpg`.
        value_range: As for `restore_file`; so are `clip`, `max_pixels` and
            `quality`.
        clip: Bool.
        max_pixels: Int.
        quality: Int.
        shard: Pair of ints, `(index, count)`: restore every `count`-th file, starting
            at `index`, in the order of names. Use it to divide the work among `count`
            processes or machines. Defaults to all files.
        verbose: `"auto"` shows a progress bar after a few seconds, `1` at once, `0`
            never. Or a function, as for `InDI.restore`.
        on_file: Function that is called after each file, with the `Result` of this
            file and the number of remaining files.
        **options: Further arguments of `InDI.restore`: `tile_size`, `max_memory`,
            `batch_size`.

    Returns:
        A `Result`.

    Raises:
        ValueError: If an argument is not valid, before any file is read. Also if
            several restorations of a model without noise would be equal.
        ImportError: If Pillow, OpenCV or the runtime of `engine` is missing. Without
            a package that only some files need, such as HEIC, those fail.

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
        if num_samples is not None and num_samples > 1:
            checks.check_draws_differ(chosen.model)
        if chosen.name is not None:
            steps = num_steps or chosen.model.restore_defaults["num_steps"]
            result.models[chosen.name] = steps
    # The progress bar counts steps for a single file, and files for several.
    single = len(jobs) == 1
    settings["verbose"] = verbose if single else 0
    progress = Progress(len(jobs), 0 if single else verbose, unit="image")
    done: set = set()
    for index, job in enumerate(jobs):
        one = Result()
        own = {**settings, "seed": file_seed(seed, job.name)}
        try:
            problem = job.problem or job.problem_since(done, existing == "refuse")
            if problem is not None:
                raise UnusableImageError(problem)
            restore_job(chosen, job, num_samples, compare, file_options, own, one)
        except Exception as error:  # backends raise many types, also for lack of memory
            if is_missing_for_all(error) or (single and isinstance(error, ImportError)):
                raise
            one.failed[job.source] = reason_of(error)
        done |= {identity(path) for path in (*one.written, *one.pictures)}
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
    """Check the arguments of `restore_files` that apply to every file."""
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
