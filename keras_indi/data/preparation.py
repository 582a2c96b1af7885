"""Large photographs, cut once into sub-images that are fast to read."""

import concurrent.futures
import dataclasses
import json
import os
import pathlib

import keras

from keras_indi.annotations import FilePath
from keras_indi.data.crops import scale_of
from keras_indi.images.archives import read_record
from keras_indi.images.decoding import (
    UnusableImageError,
    inspect_image,
    read_image,
)
from keras_indi.images.encoding import write_png
from keras_indi.images.image_files import find_images, match_folders
from keras_indi.images.whole_writes import remove_left_overs, write_text

SETTINGS = "prepared.json"


@dataclasses.dataclass
class Preparation:
    """What a preparation did.

    Attributes:
        written: Int, sub-images written by this run.
        present: Int, sub-images that were there already.
        failed: Dict of name to reason, the images that could not be cut.
    """

    written: int = 0
    present: int = 0
    failed: dict[str, str] = dataclasses.field(default_factory=dict)


def prepare(
    clean_dir: FilePath,
    output_dir: FilePath,
    degraded_dir: FilePath | None = None,
    *,
    size: int = 256,
    overlap: int = 32,
    max_pixels: int | None = None,
    num_workers: int | None = None,
    verbose: int = 1,
) -> Preparation:
    """Cut a folder of photographs, or of pairs, into overlapping sub-images.

    Sub-images lie on a grid of `size - overlap` pixels; the last of each row and
    column moves inwards to the border, so that all have the full size, but for
    images that are smaller. They are lossless PNG files, of the image's own bits
    and channels, named after its place: `boat.jpg` gives
    `output_dir/boat_y0_x0.png`, `output_dir/boat_y0_x224.png` and so on. Pairs go to
    `output_dir/degraded` and `output_dir/clean`.

    It may be interrupted at any moment and run again: no file is left half
    written, what a killed run of this machine has left is removed, and what is there,
    and newer than its photograph, is not made again.

    Args:
        clean_dir: Path of the photographs' folder.
        output_dir: Path of the folder to write to.
        degraded_dir: Path of the degraded images' folder, for pairs. A clean
            image may be a whole number of times larger; `size` and `overlap`,
            which must then be multiples of it, are pixels of the clean one.
        size: Int, height and width of the sub-images.
        overlap: Int in [0, size), pixels that neighbours share.
        max_pixels: As for `read_image`.
        num_workers: Int, threads. Defaults to the number of processors.
        verbose: 1 shows a progress bar, 0 nothing.

    Returns:
        A `Preparation`. An image that cannot be read ends nothing; it is in
        `failed`, and so is one without a partner.

    Raises:
        ValueError: If there is nothing to cut, or `output_dir` holds sub-images of
            another size or overlap, or lies within an input.
    """
    if not 0 <= overlap < size:
        raise ValueError(
            "`size` must be larger than `overlap`, and `overlap` at least 0. Received: "
            f"size={size}, overlap={overlap}"
        )
    output_dir = pathlib.Path(output_dir)
    for folder in (clean_dir, degraded_dir):
        if folder and output_dir.resolve().is_relative_to(
            pathlib.Path(folder).resolve()
        ):
            raise ValueError(
                "The output directory must not be inside a folder of images. Received: "
                f"output_dir={str(output_dir)!r} within {str(folder)!r}"
            )
    result = Preparation()
    if degraded_dir is None:
        sides = ("",)
        jobs = {name: (path,) for name, path in find_images(clean_dir).items()}
    else:
        sides = ("degraded", "clean")
        match = match_folders(degraded_dir, clean_dir)
        jobs = match.pairs
        alone = {**match.only_degraded, **match.only_clean}
        result.failed = {str(path): "without a partner" for path in alone.values()}
    if not jobs:
        raise ValueError(
            "There must be images, or pairs of them, to cut (PNG, JPEG, WebP or "
            f"TIFF). Received: clean_dir={str(clean_dir)!r}, "
            f"degraded_dir={degraded_dir and str(degraded_dir)!r}"
        )
    _check_settings(output_dir, {"size": size, "overlap": overlap})
    for folder, _, _ in os.walk(output_dir):
        remove_left_overs(pathlib.Path(folder), alone=False)

    def cut(name):
        folders = [output_dir / side for side in sides]
        return _cut(jobs[name], name, folders, size, overlap, max_pixels)

    bar = keras.utils.Progbar(len(jobs), unit_name="image") if verbose else None
    pool = concurrent.futures.ThreadPoolExecutor(num_workers or os.cpu_count())
    try:
        running = {pool.submit(cut, name): name for name in jobs}
        for future in concurrent.futures.as_completed(running):
            try:
                written, present = future.result()
                result.written += written
                result.present += present
            except UnusableImageError as error:
                result.failed[running[future]] = str(error)
            if bar:
                bar.add(1)
    finally:
        pool.shutdown(cancel_futures=True)
    return result


def grid(length: int, size: int, step: int) -> list[int]:
    """Where sub-images begin along one axis.

    Args:
        length: Int, the image's height or width.
        size: Int, a sub-image's.
        step: Int, from one to the next.

    Returns:
        List of ints, from 0 to `length - size`.
    """
    last = max(0, length - size)
    return [*range(0, last, step), last]


def _cut(paths, name, folders, size, overlap, max_pixels):
    """Cut one image, or pair; return how many files were written and present."""
    infos = [inspect_image(path, max_pixels) for path in paths]
    shapes = [(info.height, info.width) for info in infos]
    clean_shape = shapes[-1]
    scales = [scale_of(shape, clean_shape) for shape in shapes]
    if any(size % scale or overlap % scale for scale in scales):
        raise UnusableImageError(
            f"clean {scales[0]} times larger: size={size} and overlap={overlap} "
            "must be multiples of that"
        )
    places = [
        (top, left)
        for top in grid(clean_shape[0], size, size - overlap)
        for left in grid(clean_shape[1], size, size - overlap)
    ]
    changed = max(os.stat(path).st_mtime_ns for path in paths)
    targets = {
        (side, place): folder / f"{name}_y{place[0]}_x{place[1]}.png"
        for side, folder in enumerate(folders)
        for place in places
    }
    missing = {
        key: path
        for key, path in targets.items()
        if not path.exists() or os.stat(path).st_mtime_ns < changed
    }
    if missing:
        # All are read before any is written: a pair is there whole or not at all.
        images = [read_image(path, max_pixels=max_pixels) for path in paths]
        for (side, (top, left)), path in missing.items():
            scale = scales[side]
            rows = slice(top // scale, (top + size) // scale)
            columns = slice(left // scale, (left + size) // scale)
            write_png(path, images[side][rows, columns])
    return len(missing), len(targets) - len(missing)


def _check_settings(output_dir, settings):
    """Note the settings in the folder; raise if it was made with others."""
    path = output_dir / SETTINGS
    if path.exists():
        found = read_record(
            path,
            "how the sub-images were cut",
            "remove the folder, or choose another",
        )
        if found != settings:
            raise ValueError(
                f"{str(output_dir)!r} holds sub-images of other settings, {found}. "
                f"Remove them, or choose another folder. Received: {settings}"
            )
        return
    write_text(path, json.dumps(settings))
