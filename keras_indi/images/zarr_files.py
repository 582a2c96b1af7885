"""Images in Zarr folders: arrays, and OME-Zarr images."""

import math
import pathlib
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.image_view import ImageView, by_blocks
from keras_indi.images.unusable import TooLargeImageError, check_size, parsing

ZARR_CHUNK = 512
MAX_CHUNK_BYTES = 2**30
OME_KEPT = ("multiscales", "version")  # attributes of an OME-Zarr image


def zarr_view(path: pathlib.Path, max_pixels: int | None) -> ImageView:
    """Return an `ImageView` of a Zarr array or OME-Zarr image, with its size checked.

    Args:
        path: Path of the folder.
        max_pixels: As for `check_size`.

    Raises:
        ValueError: If the folder is neither, or does not contain one image.
        UnusableImageError: If it is damaged or too large.
        ImportError: If zarr is missing.
    """
    metadata = {}
    with parsing():
        node = by_blocks("zarr").open(path, mode="r")
        is_array = hasattr(node, "shape")
        axes = (_named_axes(node) or "yxc"[: node.ndim]) if is_array else ""
        if is_array:
            metadata = {"zarr": [f"attribute {name}" for name in node.attrs]}
    if not is_array:
        with parsing():
            node, axes, metadata = _ome_image(node, path)
    view = ImageView(node, axes, metadata, path)
    _check_zarr(view, node, path, max_pixels)
    return view


def _check_zarr(view, array, path, max_pixels):
    """Raise if a Zarr declares far more than it stores, or if a chunk is too large."""
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
    """Return the named axes of a Zarr array if they are those of an image."""
    names = getattr(array.metadata, "dimension_names", None)
    if not names or not all(name in ("t", "c", "s", "z", "y", "x") for name in names):
        return None
    return names


def _ome_image(group, path):
    """Return the full-resolution array of an OME-Zarr image, its axes and metadata."""
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
    """Return whether a value is a valid pixel size."""
    return isinstance(value, (int, float)) and 0 < value < math.inf


def write_zarr(path: FilePath, image: Any, metadata: dict[str, Any]) -> None:
    """Write a Zarr array with axes y, x and c, without metadata."""
    channels = image.shape[-1]
    array = by_blocks("zarr").create_array(
        path,
        shape=image.shape,
        dtype=image.dtype,
        chunks=(ZARR_CHUNK, ZARR_CHUNK, channels),
        dimension_names=("y", "x", "c"),
    )
    for rows in _chunk_rows(image):
        array[rows] = image[rows]


def write_ome(path: FilePath, image: Any, metadata: dict[str, Any]) -> None:
    """Write an OME-Zarr 0.5 image, with the pixel size from the metadata."""
    sizes, units = metadata.get("ome", ({}, {}))
    height, width, channels = image.shape
    axes = [{"name": "c", "type": "channel"}]
    for name in "yx":
        unit = {"unit": units[name]} if name in units else {}
        axes.append({"name": name, "type": "space", **unit})
    scale = [1.0, *(float(sizes.get(name, 1.0)) for name in "yx")]
    transformations = [{"type": "scale", "scale": scale}]
    level = {"path": "0", "coordinateTransformations": transformations}
    group = by_blocks("zarr").open_group(path, mode="w")
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
