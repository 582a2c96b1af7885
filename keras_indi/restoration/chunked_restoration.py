"""The restoration of an image file that need not fit into memory."""

import pathlib

from keras_indi.images import chunked_files
from keras_indi.inference.arrays import DiskArray


def restore_file(model, input_path, output_path, **restore_options):
    """Restores a large image from file to file, in bounded memory.

    The image is never whole in memory: it is read by blocks, restored in tiles where
    it does not fit `max_memory`, kept on disk, and written by tiles. The output is
    written whole or not at all, whatever ends the process. Until then the
    restoration lies in a temporary file of its size, in the folder of the
    environment variable `TMPDIR`.

    Formats, in any combination: TIFF (`.tif`, `.tiff`; written in tiles, compressed
    without loss, as BigTIFF where it needs to be), Zarr (`.zarr`, an array of shape
    `(height, width)` or `(height, width, channels)`) and OME-Zarr (`.ome.zarr`,
    the full resolution of an image of one time and one plane). From TIFF to TIFF,
    the colour profile, the resolution and the orientation are carried over; from
    OME-Zarr to OME-Zarr, the pixels' size.

    Args:
        model: A restorer, `keras_indi.models.InDI`.
        input_path: Path of the image.
        output_path: Path of the result. Its folder is made. A file is replaced; a
            folder must not be there yet.
        **restore_options: Further arguments of `model.restore`: `num_steps`,
            `max_memory` and so on.

    Returns:
        `pathlib.Path` of the output.

    Raises:
        ValueError: If the image does not suit the model, or a path is of no such
            format, before any work.
        ImportError: If tifffile or zarr is missing.

    Example:

    ```python
    keras_indi.restoration.restore_file(
        model, "slide.tif", "restored.ome.zarr", num_steps=4, max_memory=2 * 2**30
    )
    ```
    """
    for name in ("images", "out", "num_samples", "return_trajectory"):
        if name in restore_options:
            raise ValueError(
                "`restore_file` restores one image, once, into a file. Received: "
                f"{name}={restore_options[name]!r}"
            )
    output_path = pathlib.Path(output_path)
    if output_path.resolve() == pathlib.Path(input_path).resolve():
        raise ValueError(
            "`output_path` must be another path than the input's. Received: "
            f"output_path={str(output_path)!r}"
        )
    chunked_files.check_output(output_path)
    with chunked_files.opened(input_path) as image:
        restored = DiskArray(image.shape, image.dtype)
        model.restore(image, out=restored, **restore_options)
        return chunked_files.write(output_path, restored, image.metadata)
