"""One file, read, restored and written."""

import contextlib
import math
from typing import Any, NamedTuple

from keras_indi.annotations import ValueLimits
from keras_indi.images.decoding import UnusableImageError, opened
from keras_indi.images.encoding import FORMATS, check_sides, write_photograph
from keras_indi.images.photograph import read_photograph
from keras_indi.images.several_pictures import other_pictures
from keras_indi.images.unusable import MAX_PIXELS
from keras_indi.models import checks
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


class Reading(NamedTuple):
    """How files are read."""

    max_pixels: int | None = None
    value_range: ValueLimits | None = None
    clip: bool = False

    @classmethod
    def checked(
        cls, max_pixels: int | None, value_range: ValueLimits | None, clip: bool
    ) -> "Reading":
        """Raises a ValueError where an argument is not valid."""
        checked_integer("max_pixels", max_pixels, optional=True)
        if value_range is not None:
            value_range = ValueRange(value_range).limits
        return cls(max_pixels, value_range, clip)


def restore_job(
    chosen: ChosenModel,
    job: FileJob,
    num_samples: int | None,
    compare: bool,
    reading: Reading,
    settings: dict[str, Any],
    result: Result,
) -> None:
    """Restores one file, and notes in the result what was written.

    Args:
        chosen: `ChosenModel`.
        job: `FileJob`.
        num_samples: Int, how many restorations to draw, or `None` for one.
        compare: Bool, whether to write the two pictures of the comparison.
        reading: `Reading`.
        settings: Dict of further arguments of `model.restore`.
        result: `Result`, which takes what was written.

    Raises:
        UnusableImageError: If the file cannot be used.
    """
    model = chosen.model
    modified = _date(job.source)
    others = other_pictures(job.source) if job.is_in_place else None
    if others is not None:
        raise UnusableImageError(_not_in_place(others))
    endings = {path.suffix.lower() for path in (job.source, job.outputs[0])}
    if ZARR in endings or is_by_blocks(job.source, reading.max_pixels):
        if num_samples is not None or compare:
            raise UnusableImageError(
                "restored by blocks, without samples and comparisons, which take the "
                "image into memory"
            )
        notes = restore_by_blocks(
            model,
            job.source,
            job.outputs[0],
            **reading._asdict(),
            modified=modified,
            **settings,
        )
        result.written += job.outputs
        notes = [*notes, *filter(None, [other_pictures(job.source)])]
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
    notes = [*photograph.notes, *chosen.notes_on(photograph)]
    draws = [pixels] if num_samples is None else pixels
    for index, (draw, path) in enumerate(zip(draws, job.outputs)):
        restored = photograph.with_pixels(draw, resized_alpha(photograph.alpha, draw))
        lost = write_photograph(path, restored, modified)
        notes += [note for note in lost if note not in notes]
        result.written.append(path)
        if compare:
            pictures = job.pictures[2 * index : 2 * index + 2]
            write_comparison(model, photograph, restored, pictures, **settings)
            result.pictures += pictures
    if notes:
        result.notes[job.source] = "; ".join(notes)


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


def _check_sides(model, job, max_pixels, scale):
    """Raises where the output's format cannot hold the result, before computing it."""
    format = FORMATS[job.outputs[0].suffix.lower()]
    scale = checks.checked_scale(scale, model.scale)
    with opened(job.source, max_pixels, math.inf) as stored:
        check_sides(format, scale * stored.info.height, scale * stored.info.width)


def _date(source):
    """When a file was modified, or `None` where reading it will say what is wrong."""
    with contextlib.suppress(OSError):
        return source.stat().st_mtime_ns
    return None
