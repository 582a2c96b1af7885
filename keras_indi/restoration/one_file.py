"""Read, restore and write one file."""

import contextlib
import math
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np

from keras_indi.annotations import ValueLimits
from keras_indi.images.decoding import UnusableImageError, opened
from keras_indi.images.encoding import FORMATS, check_sides, write_photograph
from keras_indi.images.photograph import (
    Photograph,
    fewer_bits,
    pixel_notes,
    read_photograph,
)
from keras_indi.images.several_pictures import other_pictures
from keras_indi.images.tiff_samples import IRREVERSIBLE
from keras_indi.images.unusable import MAX_PIXELS
from keras_indi.models import Restorer, checks
from keras_indi.restoration.chosen_model import ChosenModel
from keras_indi.restoration.comparison import compare as write_comparison
from keras_indi.restoration.file_jobs import FileJob
from keras_indi.restoration.large_files import (
    ZARR,
    is_by_blocks,
    restore_by_blocks,
    restore_through_disk,
)
from keras_indi.restoration.pixels import resized_alpha, restore_pixels
from keras_indi.restoration.result import Result
from keras_indi.validation import checked_integer
from keras_indi.value_range import ValueRange


class FileOptions(NamedTuple):
    """Options for reading and writing files."""

    max_pixels: int | None = None
    value_range: ValueLimits | None = None
    clip: bool = False
    quality: int | None = None

    @classmethod
    def checked(
        cls,
        max_pixels: int | None,
        value_range: ValueLimits | None,
        clip: bool,
        quality: int | None,
    ) -> "FileOptions":
        """Create options, or raise a ValueError if an argument is not valid."""
        checked_integer("max_pixels", max_pixels, optional=True)
        checked_integer("quality", quality, most=100, optional=True)
        if value_range is not None:
            value_range = ValueRange(value_range).limits
        return cls(max_pixels, value_range, clip, quality)

    @property
    def reading(self) -> dict[str, Any]:
        """Arguments of the functions that read files."""
        options = self._asdict()
        del options["quality"]
        return options


def restore_job(
    chosen: ChosenModel,
    job: FileJob,
    num_samples: int | None,
    compare: bool,
    file_options: FileOptions,
    settings: dict[str, Any],
    result: Result,
) -> None:
    """Restore one file, and add the outputs to `result`.

    Args:
        chosen: `ChosenModel`.
        job: `FileJob`.
        num_samples: Int, number of restorations to draw, or `None` for one.
        compare: Bool, whether to write the two comparison images.
        file_options: `FileOptions`.
        settings: Dict of further arguments of `model.restore`.
        result: `Result`, to which the outputs are added.

    Raises:
        UnusableImageError: If the file cannot be used.
    """
    photograph = read_job(chosen, job, num_samples, compare, file_options, settings)
    if photograph is None:
        restore_blocks_job(chosen, job, file_options, settings, result)
        return
    pixels = restore_photograph(
        chosen.model, photograph, num_samples, compare, settings
    )
    draws = [pixels] if num_samples is None else pixels
    write_job(chosen, job, photograph, draws, compare, file_options, settings, result)


def read_job(
    chosen: ChosenModel,
    job: FileJob,
    num_samples: int | None,
    compare: bool,
    file_options: FileOptions,
    settings: dict[str, Any],
) -> Photograph | None:
    """Read the file of a job, after checking that its output can be written.

    Args:
        chosen: As for `restore_job`; so are the others.
        job: `FileJob`.
        num_samples: Int, or `None`.
        compare: Bool.
        file_options: `FileOptions`.
        settings: Dict.

    Returns:
        The `Photograph`, or `None` if the file must be restored in blocks with
        `restore_blocks_job`.

    Raises:
        UnusableImageError: If the file cannot be used.
    """
    if job.is_in_place:
        lost = other_pictures(job.source) or _lost_pixels(job.source)
        if lost is not None:
            raise UnusableImageError(_not_in_place(lost))
    endings = {path.suffix.lower() for path in (job.source, job.outputs[0])}
    if ZARR in endings or is_by_blocks(job.source, file_options.max_pixels):
        if num_samples is not None or compare:
            raise UnusableImageError(
                "restored in blocks, which supports neither several samples nor "
                "comparisons"
            )
        return None
    _check_sides(chosen.model, job, file_options.max_pixels, settings.get("scale"))
    photograph = read_photograph(job.source, **file_options.reading, most=math.inf)
    if _loses_pixels(photograph, job.outputs[0]) and job.is_in_place:
        raise UnusableImageError(_not_in_place("its bits or its alpha"))
    return photograph


def restore_blocks_job(
    chosen: ChosenModel,
    job: FileJob,
    file_options: FileOptions,
    settings: dict[str, Any],
    result: Result,
) -> None:
    """Restore a file in blocks. The arguments are as for `restore_job`."""
    notes = restore_by_blocks(
        chosen.model,
        job.source,
        job.outputs[0],
        **file_options.reading,
        modified=_date(job.source),
        **settings,
    )
    result.written += job.outputs
    notes = [*notes, *filter(None, [other_pictures(job.source)])]
    if notes:
        result.notes[job.source] = "; ".join(notes)


def is_large(photograph: Photograph) -> bool:
    """Return whether the floats of a photograph are kept on disk."""
    return photograph.pixels[..., 0].size > MAX_PIXELS


def restore_photograph(
    model: Restorer,
    photograph: Photograph,
    num_samples: int | None,
    compare: bool,
    settings: dict[str, Any],
) -> np.ndarray:
    """Restore the pixels of a photograph, as by `restore_pixels`."""
    if is_large(photograph) and num_samples is None and not compare:
        return restore_through_disk(model, photograph.pixels, **settings)
    return restore_pixels(model, photograph.pixels, num_samples, **settings)


def write_job(
    chosen: ChosenModel,
    job: FileJob,
    photograph: Photograph,
    draws: Iterable[np.ndarray],
    compare: bool,
    file_options: FileOptions,
    settings: dict[str, Any],
    result: Result,
) -> None:
    """Write the outputs of one file, and add them to `result`.

    Args:
        chosen: As for `restore_job`; so are the others.
        job: `FileJob`.
        photograph: The `Photograph` of the input.
        draws: The restored pixels for each output.
        compare: Bool.
        file_options: `FileOptions`.
        settings: Dict.
        result: `Result`.
    """
    notes = [*photograph.notes, *chosen.notes_on(photograph)]
    endings = {path.suffix.lower() for path in (job.source, *job.outputs)}
    if photograph.jpeg_quality is None and {FORMATS.get(e) for e in endings} == {
        "JPEG"
    }:
        notes.append("not a JPEG file but for its name, and written as one")
    modified = _date(job.source)
    for index, (draw, path) in enumerate(zip(draws, job.outputs)):
        restored = photograph.with_pixels(draw, resized_alpha(photograph.alpha, draw))
        lost = write_photograph(path, restored, modified, file_options.quality)
        notes += [note for note in lost if note not in notes]
        result.written.append(path)
        if compare:
            pictures = job.pictures[2 * index : 2 * index + 2]
            write_comparison(chosen.model, photograph, restored, pictures, **settings)
            result.pictures += pictures
    if notes:
        result.notes[job.source] = "; ".join(notes)


def _loses_pixels(photograph, output):
    """Return whether the output format lacks the bit depth or the alpha channel.

    In place, this happens if the input has a wrong extension.
    """
    format = FORMATS[output.suffix.lower()]
    deep = photograph.pixels.dtype != "uint8"
    return (deep and format in ("JPEG", "WEBP")) or (
        photograph.alpha is not None and format == "JPEG"
    )


def _lost_pixels(source):
    """Return a note on channels, colours or bits that reading loses, or `None`."""
    with contextlib.suppress(UnusableImageError):  # reading it will raise
        with opened(source, None, math.inf) as stored:
            lost = (*IRREVERSIBLE, fewer_bits(stored))
            lost += (stored.samples and stored.samples.left_out,)
            return next((note for note in pixel_notes(stored) if note in lost), None)


def _not_in_place(reason):
    """Return the reason why an incomplete restoration does not replace its input."""
    return (
        f"its restoration would not hold all of it ({reason}), and is not written in "
        "its place; give another output"
    )


def _check_sides(model, job, max_pixels, scale):
    """Raise if the result will be too large for the output format."""
    format = FORMATS[job.outputs[0].suffix.lower()]
    scale = checks.checked_scale(scale, model.scale)
    with opened(job.source, max_pixels, math.inf) as stored:
        check_sides(format, scale * stored.info.height, scale * stored.info.width)


def _date(source):
    """Return the modification time of a file, or `None` if it is not accessible."""
    with contextlib.suppress(OSError):
        return source.stat().st_mtime_ns
    return None
