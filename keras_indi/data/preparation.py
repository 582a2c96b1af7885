"""Cut large photographs into sub-images that are fast to read."""

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
from keras_indi.validation import checked_integer

SETTINGS = "prepared.json"


@dataclasses.dataclass
class Preparation:
    """Result of `prepare`.

    Attributes:
        written: Int, sub-images written by this run.
        present: Int, sub-images that already existed.
        failed: Dict of name to reason, images that could not be cut.
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

    Sub-images lie on a grid of `size - overlap` pixels. The last one of each row and
    column is moved inside, so that all have the full size unless the image is smaller.
    They are lossless PNG files with the bits and channels of the image, named by their
    position: `boat.jpg` gives `output_dir/boat_y0_x0.png`,
    `output_dir/boat_y0_x224.png` and so on. Pairs are written to `output_dir/degraded`
    and `output_dir/clean`.

    It can be interrupted at any time and run again. Files are written atomically.
    Temporary files of a killed run on this machine are removed. Existing sub-images
    that are newer than their photograph are kept.

    Args:
        clean_dir: Path of the folder of photographs.
        output_dir: Path of the output directory.
        degraded_dir: Path of the folder of degraded images, for pairs. A clean image
            can be an integer number of times larger. `size` and `overlap` are in
            pixels of the clean image, and must be multiples of this number.
        size: Int, height and width of the sub-images.
        overlap: Int in [0, size), pixels that neighbouring sub-images share.
        max_pixels: As for `read_image`.
        num_workers: Int, number of threads. Defaults to the number of processors.
        verbose: 1 shows a progress bar, 0 nothing.

    Returns:
        A `Preparation`. Images that cannot be read, or have no partner, do not stop the
        run and are listed in `failed`.

    Raises:
        ValueError: If there is nothing to cut, or `output_dir` contains sub-images of
            another size or overlap, or is inside an input folder.
    """
    size = checked_integer("size", size)
    overlap = checked_integer("overlap", overlap, least=0)
    checked_integer("num_workers", num_workers, least=0, optional=True)
    if overlap >= size:
        raise ValueError(
            "`size` must be larger than `overlap`. Received: "
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
    """Return the origins of sub-images along one axis.

    Args:
        length: Int, height or width of the image.
        size: Int, size of a sub-image.
        step: Int, distance between origins.

    Returns:
        List of ints, from 0 to `length - size`.
    """
    last = max(0, length - size)
    return [*range(0, last, step), last]


def _cut(paths, name, folders, size, overlap, max_pixels):
    """Cut one image or pair, and return the numbers of written and existing files."""
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
        # Read all images before writing any, so that no pair is incomplete.
        images = [read_image(path, max_pixels=max_pixels) for path in paths]
        for (side, (top, left)), path in missing.items():
            scale = scales[side]
            rows = slice(top // scale, (top + size) // scale)
            columns = slice(left // scale, (left + size) // scale)
            write_png(path, images[side][rows, columns])
    return len(missing), len(targets) - len(missing)


def _check_settings(output_dir, settings):
    """Write the settings to the folder, or raise if it was made with others."""
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
