"""An image, and the files of several kinds that hold it."""

import numpy as np
import pytest
from helpers import smooth_images

tifffile = pytest.importorskip("tifffile")
zarr = pytest.importorskip("zarr")

IMAGE = smooth_images(1, 301, 277)[0].astype("uint8")


def written(folder, kind, image=IMAGE):
    """The image in a file of some kind, and its path."""
    path = folder / f"image.{kind.split('-')[0]}"
    if kind == "tif":
        tifffile.imwrite(path, image, photometric="rgb")
    elif kind == "tif-lzw":
        tifffile.imwrite(
            path, image, photometric="rgb", compression="lzw", tile=(64, 64)
        )
    elif kind == "tif-planes":
        planes = np.moveaxis(image, -1, 0)
        tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    elif kind == "zarr":
        array = zarr.create_array(
            path, shape=image.shape, dtype=image.dtype, chunks=(100, 100, 3)
        )
        array[:] = image
    else:  # OME-Zarr 0.4, of one time and one plane
        group = zarr.open_group(path, mode="w", zarr_format=2)
        names = "tczyx"
        scale = [1.0, 1.0, 1.0, 0.25, 0.5]
        group.attrs["multiscales"] = [
            {
                "version": "0.4",
                "axes": [{"name": n, "type": "space", "unit": "um"} for n in names],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": scale}
                        ],
                    }
                ],
            }
        ]
        values = np.moveaxis(image, -1, 0)[None, :, None]
        array = group.create_array(
            "0", shape=values.shape, dtype=image.dtype, chunks=(1, 1, 1, 99, 99)
        )
        array[:] = values
    return path
