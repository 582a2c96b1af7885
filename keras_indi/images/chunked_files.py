"""Image files that are read and written by blocks: TIFF, Zarr, OME-Zarr."""

import contextlib
import math
import pathlib
from collections.abc import Iterator, Sequence
from types import ModuleType
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import inventory
from keras_indi.images.density import checked_dpi
from keras_indi.images.formats import opened_file
from keras_indi.images.metadata import lost_sentence, of_tiff
from keras_indi.images.orientation import ORIENTATION
from keras_indi.images.tiff_files import (
    check_stored,
    opened_tiff,
    orientation_of,
    samples_of,
)
from keras_indi.images.tiff_samples import BLACK_IS_0, TiffSamples
from keras_indi.images.tiff_tags import CLASSIC_TIFF, append_directories, extra_tags
from keras_indi.images.unusable import (
    TooLargeImageError,
    UnusableImageError,
    check_size,
    parsing,
)
from keras_indi.images.whole_writes import write_whole
from keras_indi.optional_packages import optional_import

TIFF_TILE = 256  # pixels; as deep as a JPEG's blocks divide it
ZARR_CHUNK = 512
MAX_CHUNK_BYTES = 2**30
OME_KEPT = ("multiscales", "version")  # of an OME-Zarr image's attributes


class ImageView:
    """A stored array as an image `(height, width, channels)`, read by blocks.

    Args:
        array: Array-like that gives NumPy arrays when it is sliced.
        axes: String or list of a letter an axis: `y`, `x`, `c` or `s` for channels;
            all others must have length 1.
        metadata: Dict of what the output takes over.
        path: Path of the file, for the error.
        num_pages: Int, the pages of a TIFF file that the array lies in.
        samples: `TiffSamples` that turns what is stored into channels, or `None` where
            that is what they are.

    Raises:
        ValueError: If it is not one image.
    """

    def __init__(
        self,
        array: Any,
        axes: Sequence[str],
        metadata: dict[str, Any],
        path: FilePath,
        num_pages: int = 1,
        samples: TiffSamples | None = None,
    ) -> None:
        axes = ["c" if axis in "cs" else axis for axis in axes]
        sizes = dict(zip(axes, array.shape))
        others = [axis for axis in axes if axis not in "yxc"]
        if (
            len(sizes) != len(axes)
            or not {"y", "x"} <= set(axes)
            or any(sizes[axis] > 1 for axis in others)
        ):
            raise ValueError(
                "The file must hold one image: axes y, x and at most one for its "
                f"channels. Received: {str(path)!r} with axes {axes} of shape "
                f"{tuple(array.shape)}"
            )
        channels = sizes.get("c", 1) if samples is None else samples.channels
        self.shape = (sizes["y"], sizes["x"], channels)
        self.ndim = 3
        self.dtype = np.dtype(array.dtype).newbyteorder("=")
        if samples is not None:
            self.dtype = samples.dtype
        self.notes = [] if samples is None else samples.notes
        # Zarr says nothing of it: a photograph's further channel is taken for alpha.
        self.has_alpha = (
            samples.has_alpha
            if samples is not None
            else num_pages == 1
            and self.dtype in ("uint8", "uint16")
            and channels in (2, 4)
        )
        self._stored_dtype = np.dtype(array.dtype).newbyteorder("=")
        self._samples = samples
        self.metadata = metadata
        self.num_pages = num_pages
        self._array = array
        self._axes = axes

    def __getitem__(self, index: Any) -> np.ndarray:
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        chosen = {"y": rows, "x": columns, "c": slice(None)}
        index = tuple(chosen.get(axis, 0) for axis in self._axes)
        with parsing("truncated or damaged"):
            block = np.asarray(self._array[index], self._stored_dtype)
        left = [axis for axis in self._axes if axis in chosen]
        if "c" not in left:
            block = block[..., None]
        else:
            block = block.transpose([left.index(axis) for axis in "yxc"])
        return block if self._samples is None else self._samples(block)


@contextlib.contextmanager
def opened(path: FilePath, max_pixels: int | None = None) -> Iterator[ImageView]:
    """Open an image file as an `ImageView`.

    Args:
        path: Path of a TIFF file, a Zarr array or an OME-Zarr image.
        max_pixels: Int, the most pixels. Defaults to no limit but for a file that
            declares more than 1000 times its own size.

    Raises:
        ValueError: If it is none, or not one image.
        UnusableImageError: If it is damaged, or too large.
        ImportError: If tifffile or zarr is missing.
    """
    path = pathlib.Path(path)
    if not path.exists():
        raise ValueError(f"File not found. Received: {str(path)!r}")
    if _format(path) == "tiff":
        with opened_file(path) as (file, _, size), opened_tiff(file) as tiff:
            view = _tiff_view(tiff, path, size, max_pixels)
            view.metadata = _tiff_metadata(tiff, file, view)
            yield view
        return
    metadata = {}
    with parsing():
        node = _by_blocks("zarr").open(path, mode="r")
        is_array = hasattr(node, "shape")
        axes = (_named_axes(node) or "yxc"[: node.ndim]) if is_array else ""
        if is_array:
            metadata = {"zarr": [f"attribute {name}" for name in node.attrs]}
    if not is_array:
        with parsing():
            node, axes, metadata = _ome_image(node, path)
    view = ImageView(node, axes, metadata, path)
    _check_zarr(view, node, path, max_pixels)
    yield view


def check_output(path: FilePath) -> None:
    """Raise a ValueError unless an image can be written at this path."""
    path = pathlib.Path(path)
    _format(path)
    if path.is_dir():
        raise ValueError(
            f"The output must not be a folder that exists. Received: {str(path)!r}"
        )


def enlarged(
    metadata: dict[str, Any], scale: int, size: tuple[int, int]
) -> dict[str, Any]:
    """An `ImageView`'s metadata for `scale` times as many pixels each way, of the same
    size together: `size`, height and width."""
    found = dict(metadata)
    if scale > 1 and "all" in found:
        found["all"] = found["all"].resized((scale, scale), size)
    if "resolution" in found.get("tiff", {}):
        dots = tuple(scale * number for number in found["tiff"]["resolution"])
        found["tiff"] = {**found["tiff"], "resolution": dots}
    if "ome" in found:
        sizes, units = found["ome"]
        sizes = {k: v / scale if k in "yx" else v for k, v in sizes.items()}
        found["ome"] = sizes, units
    return found


def write(
    path: FilePath, image: Any, metadata: dict[str, Any], modified: int | None = None
) -> list[str]:
    """Write an image by blocks, whole or not at all.

    Args:
        path: Path of the output, whose ending chooses the format.
        image: Array-like of shape `(height, width, channels)`.
        metadata: Dict, an `ImageView`'s, of which the output takes what it can.
        modified: As for `write_whole`.

    Returns:
        List of strings: what of the metadata the format could not hold.
    """
    format = _format(path)
    save = {"tiff": _write_tiff, "zarr": _write_zarr, "ome": _write_ome}[format]
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


def _format(path):
    name = pathlib.Path(path).name.lower()
    if name.endswith((".tif", ".tiff")):
        return "tiff"
    if name.endswith(".ome.zarr"):
        return "ome"
    if name.endswith(".zarr"):
        return "zarr"
    raise ValueError(
        "Images are read and written by blocks as .tif, .tiff, .zarr and .ome.zarr. "
        f"Received: {str(path)!r}"
    )


# === TIFF ===


def _tiff_view(tiff, path, stored_bytes, max_pixels):
    """An `ImageView` of a TIFF file's first image, its meaning and its size checked."""
    page = tiff.pages.first
    samples = samples_of(page)
    check_stored(page, stored_bytes, max_pixels, most=math.inf)
    with parsing():
        level = tiff.series[0].levels[0]
        pages = [page for page in level.pages if page is not None]
        store = level.aszarr(level=0)  # not with its smaller views
        array = _by_blocks("zarr").open_array(store, mode="r")
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
    """What the outputs take over: `tiff`, arguments of `tifffile`, `orientation`, and
    `all`, a `Metadata`."""
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
        # Also where Pillow does not open the file.
        tags = [tag for tag in tags if tag[0] != ORIENTATION]
        tags.append((ORIENTATION, "H", 1, metadata["orientation"], True))
    writer = _by_blocks("tifffile").TiffWriter
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


# === Zarr ===


def _check_zarr(view, array, path, max_pixels):
    """A Zarr must not declare far more than it stores, in all or in a chunk."""
    height, width, channels = view.shape
    if path.is_dir():
        stored = sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
    else:
        stored = path.stat().st_size
    pixel_bytes = channels * view.dtype.itemsize
    check_size(height, width, pixel_bytes, stored, max_pixels, most=math.inf)
    chunk = math.prod(array.chunks) * view.dtype.itemsize
    if chunk > MAX_CHUNK_BYTES:
        raise TooLargeImageError(f"too large (chunks of {chunk} bytes)")


def _named_axes(array):
    """The axes that a Zarr array names, if they are an image's."""
    names = getattr(array.metadata, "dimension_names", None)
    if not names or not all(name in ("t", "c", "s", "z", "y", "x") for name in names):
        return None
    return names


def _ome_image(group, path):
    """The full resolution of an OME-Zarr image, its axes, and its pixels' size."""
    attributes = dict(group.attrs)
    attributes = attributes.get("ome", attributes)  # version 0.5, 0.4
    try:
        scales = attributes["multiscales"][0]
        dataset = scales["datasets"][0]
        axes = [axis["name"] for axis in scales["axes"]]
    except (KeyError, IndexError, TypeError) as error:
        raise ValueError(
            "The folder must hold a Zarr array or an OME-Zarr image (version 0.4 or "
            f"0.5). Received: {str(path)!r} with the arrays "
            f"{sorted(group.array_keys())}"
        ) from error
    sizes = {}
    for transformation in dataset.get("coordinateTransformations", []):
        found = zip(axes, transformation.get("scale", []))
        sizes.update({axis: size for axis, size in found if _is_size(size)})
    units = {axis["name"]: axis["unit"] for axis in scales["axes"] if "unit" in axis}
    others = [f"attribute {name}" for name in attributes if name not in OME_KEPT]
    others += [
        *group.group_keys(),
        *["multiscales"] * (len(attributes["multiscales"]) > 1),
    ]
    return group[dataset["path"]], axes, {"ome": (sizes, units), "zarr": others}


def _is_size(value):
    """Whether a file says a size with it, and not something else."""
    return isinstance(value, (int, float)) and 0 < value < math.inf


def _write_zarr(path, image, metadata):
    channels = image.shape[-1]
    array = _by_blocks("zarr").create_array(
        path,
        shape=image.shape,
        dtype=image.dtype,
        chunks=(ZARR_CHUNK, ZARR_CHUNK, channels),
        dimension_names=("y", "x", "c"),
    )
    for rows in _chunk_rows(image):
        array[rows] = image[rows]


def _write_ome(path, image, metadata):
    sizes, units = metadata.get("ome", ({}, {}))
    height, width, channels = image.shape
    axes = [{"name": "c", "type": "channel"}]
    for name in "yx":
        unit = {"unit": units[name]} if name in units else {}
        axes.append({"name": name, "type": "space", **unit})
    scale = [1.0, *(float(sizes.get(name, 1.0)) for name in "yx")]
    transformations = [{"type": "scale", "scale": scale}]
    level = {"path": "0", "coordinateTransformations": transformations}
    group = _by_blocks("zarr").open_group(path, mode="w")
    group.attrs["ome"] = {
        "version": "0.5",
        "multiscales": [{"axes": axes, "datasets": [level]}],
    }
    array = group.create_array(
        "0",
        shape=(channels, height, width),
        dtype=image.dtype,
        chunks=(channels, ZARR_CHUNK, ZARR_CHUNK),
        dimension_names=("c", "y", "x"),
    )
    for rows in _chunk_rows(image):
        array[:, rows] = np.moveaxis(image[rows], -1, 0)


def _chunk_rows(image):
    height = image.shape[0]
    for top in range(0, height, ZARR_CHUNK):
        yield slice(top, min(top + ZARR_CHUNK, height))


def _by_blocks(module: str) -> ModuleType:
    return optional_import(module, extra="big", purpose="Using images by blocks")
