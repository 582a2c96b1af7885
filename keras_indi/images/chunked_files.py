"""Image files that are read and written in blocks: TIFF, Zarr and OME-Zarr."""

import contextlib
import math
import pathlib
from collections.abc import Iterator
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import inventory
from keras_indi.images.density import as_tiff, checked_dpi
from keras_indi.images.formats import opened_file
from keras_indi.images.image_view import ImageView, by_blocks
from keras_indi.images.metadata import lost_sentence, of_tiff
from keras_indi.images.orientation import ORIENTATION
from keras_indi.images.tiff_files import (
    check_stored,
    opened_tiff,
    orientation_of,
    samples_of,
)
from keras_indi.images.tiff_samples import BLACK_IS_0
from keras_indi.images.tiff_tags import CLASSIC_TIFF, append_directories, extra_tags
from keras_indi.images.unusable import (
    UnusableImageError,
    check_size,
    parsing,
)
from keras_indi.images.whole_writes import write_whole
from keras_indi.images.zarr_files import write_ome, write_zarr, zarr_view

TIFF_TILE = 256  # pixels; a multiple of the block size of JPEG


@contextlib.contextmanager
def opened(path: FilePath, max_pixels: int | None = None) -> Iterator[ImageView]:
    """Open an image file as an `ImageView`.

    Args:
        path: Path of a TIFF file, a Zarr array or an OME-Zarr image.
        max_pixels: Int, maximum number of pixels. By default, only files that
            declare more than 1000 times their own size are refused.

    Raises:
        ValueError: If the file is not one of these or does not contain one image.
        UnusableImageError: If the file is damaged or too large.
        ImportError: If tifffile or zarr is missing.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"File not found. Received: {str(path)!r}")
    if format_of(path) == "tiff":
        with opened_file(path) as (file, _, size), opened_tiff(file) as tiff:
            view = _tiff_view(tiff, path, size, max_pixels)
            view.metadata = _tiff_metadata(tiff, file, view)
            yield view
        return
    yield zarr_view(path, max_pixels)


def enlarged(
    metadata: dict[str, Any], scale: int, size: tuple[int, int]
) -> dict[str, Any]:
    """Return the metadata of an `ImageView` after enlargement by `scale` to `size`.

    `size` is the new height and width. The physical size of the image is unchanged.
    """
    found = dict(metadata)
    if scale > 1 and "all" in found:
        found["all"] = found["all"].resized((scale, scale), size)
    if "resolution" in found.get("tiff", {}):
        dots = tuple(scale * number for number in found["tiff"]["resolution"])
        found["tiff"] = {**found["tiff"], "resolution": as_tiff(dots)}
    if "ome" in found:
        sizes, units = found["ome"]
        sizes = {k: v / scale if k in "yx" else v for k, v in sizes.items()}
        found["ome"] = sizes, units
    return found


def write(
    path: FilePath, image: Any, metadata: dict[str, Any], modified: int | None = None
) -> list[str]:
    """Write an image in blocks, atomically.

    Args:
        path: Path of the output. Its extension selects the format.
        image: Array-like of shape `(height, width, channels)`.
        metadata: Dict, the metadata of an `ImageView`. Entries that the format does
            not support are dropped.
        modified: As for `write_whole`.

    Returns:
        List of strings: the metadata that the format cannot store.
    """
    format = format_of(path)
    save = {"tiff": _write_tiff, "zarr": write_zarr, "ome": write_ome}[format]
    write_whole(path, lambda partial: save(partial, image, metadata), modified)
    if "zarr" in metadata:
        lost = [*metadata["zarr"]]
        if "ome" in metadata and format != "ome":
            lost.append("the pixels' size")
        return lost_sentence(
            lost, {"tiff": "TIFF", "ome": "OME-Zarr"}.get(format, "Zarr")
        )
    if "all" not in metadata:
        return []
    if format == "tiff":
        return metadata["all"].lost_in(path, "TIFF")
    return lost_sentence(inventory.missing(metadata["all"].parts, {}), "Zarr")


def format_of(path: FilePath) -> str:
    """Return the format of an extension: `"tiff"`, `"zarr"` or `"ome"`.

    Raises:
        ValueError: If it is that of another format.
    """
    name = pathlib.Path(path).name.lower()
    if name.endswith((".tif", ".tiff")):
        return "tiff"
    if name.endswith(".ome.zarr"):
        return "ome"
    if name.endswith(".zarr"):
        return "zarr"
    raise ValueError(
        "Only .tif, .tiff, .zarr and .ome.zarr are read and written in blocks. "
        f"Received: {str(path)!r}"
    )


# === TIFF ===


def _tiff_view(tiff, path, stored_bytes, max_pixels):
    """Return an `ImageView` of the first image, with samples and size checked."""
    page = tiff.pages.first
    samples = samples_of(page)
    check_stored(page, stored_bytes, max_pixels, most=math.inf)
    with parsing():
        level = tiff.series[0].levels[0]
        pages = [page for page in level.pages if page is not None]
        store = level.aszarr(level=0)  # without the lower resolutions
        array = by_blocks("zarr").open_array(store, mode="r")
        axes = level.axes.lower()
    if len(level.pages) > 1:
        if samples.kind != BLACK_IS_0:
            raise UnusableImageError(
                f"not read (TIFF of {len(pages)} pages that are not plain grey)"
            )
        samples = None
    view = ImageView(array, axes, {}, path, len(level.pages), samples)
    height, width, channels = view.shape
    pixel_bytes = channels * view.dtype.itemsize
    check_size(height, width, pixel_bytes, stored_bytes, max_pixels, most=math.inf)
    return view


def _tiff_metadata(tiff, file, view):
    """Return the metadata that outputs keep.

    Keys: `tiff`, arguments of `tifffile`; `orientation`; and `all`, a `Metadata`.
    """
    page = tiff.pages.first
    channels = view.shape[-1] - view.has_alpha
    metadata = of_tiff(page, tiff.byteorder, channels, file)
    found = {"iccprofile": metadata.icc_profile}
    with contextlib.suppress(Exception):  # 0/0 is no resolution
        resolution = page.get_resolution()
        if resolution != (1.0, 1.0) and checked_dpi(resolution):
            found["resolution"] = resolution
            found["resolutionunit"] = page.resolutionunit
    return {"tiff": found, "orientation": orientation_of(page), "all": metadata}


def _write_tiff(path, image, metadata):
    height, width, channels = image.shape
    kind = {"photometric": "minisblack"}
    shape = (height, width) if channels == 1 else (height, width, channels)
    if channels > 1:
        kind["planarconfig"] = "contig"
    if channels in (3, 4):
        kind = {"photometric": "rgb"}

    def tiles():
        for top in range(0, height, TIFF_TILE):
            rows = image[top : top + TIFF_TILE]
            for left in range(0, width, TIFF_TILE):
                block = rows[:, left : left + TIFF_TILE]
                missing = [(0, TIFF_TILE - size) for size in block.shape[:2]]
                tile = np.pad(block, [*missing, (0, 0)], mode="edge")
                yield tile[..., 0] if channels == 1 else tile

    big = int(np.prod(image.shape)) * image.dtype.itemsize > CLASSIC_TIFF
    tags = []
    if "all" in metadata:
        tags = extra_tags(metadata["all"])
        # Also for files that Pillow cannot open.
        tags = [tag for tag in tags if tag[0] != ORIENTATION]
        tags.append((ORIENTATION, "H", 1, metadata["orientation"], True))
    writer = by_blocks("tifffile").TiffWriter
    with writer(path, bigtiff=big, byteorder="<") as file:
        file.write(
            tiles(),
            shape=shape,
            dtype=image.dtype,
            tile=(TIFF_TILE, TIFF_TILE),
            compression="zlib",
            predictor=np.issubdtype(image.dtype, np.integer),
            metadata=None,
            software=False,
            **kind,
            extratags=tags,
            **metadata.get("tiff", {}),
        )
    if "all" in metadata and not big:
        append_directories(path, metadata["all"])
