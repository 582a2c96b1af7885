"""Arrays that are read and written in blocks, in memory or on disk."""

import os
import tempfile

import numpy as np

from keras_indi.data.resize import resize_block

# Band size for operations that act on each pixel independently.
PIXELS_PER_BAND = 2**18


class DiskArray:
    """Array in an anonymous temporary file, mapped only while it is accessed.

    A permanent mapping would keep all accessed pages in memory. The file has no name,
    so the system deletes it when the process ends, for whatever reason. It is in the
    folder of `tempfile`, which the environment variable `TMPDIR` can change.

    Args:
        shape: Tuple of ints.
        dtype: NumPy dtype.

    Raises:
        OSError: If the disk has not enough free space.
    """

    def __init__(self, shape, dtype="float32"):
        self.shape = tuple(shape)
        self.ndim = len(self.shape)
        self.dtype = np.dtype(dtype)
        size = int(np.prod(self.shape)) * self.dtype.itemsize
        self._file = tempfile.TemporaryFile(prefix="keras_indi-")
        try:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(self._file.fileno(), 0, size)
            else:
                self._file.truncate(size)
        except OSError as error:
            raise OSError(
                error.errno,
                f"{error.strerror}, for {size} bytes of temporary files: make room, or "
                "set TMPDIR to another folder",
                tempfile.gettempdir(),
            ) from error

    def __getitem__(self, index):
        return np.array(self._mapped("r")[index])

    def __setitem__(self, index, values):
        self._mapped("r+")[index] = values

    def _mapped(self, mode):
        return np.memmap(self._file, self.dtype, mode, shape=self.shape)


class EnlargedImage:
    """Image that is enlarged by an integer factor, bilinear, when it is read.

    Pixels have half-pixel centres, and the image is extended by its border pixels: see
    `keras_indi.data.resize`. Enlarging needs no antialiasing.

    Args:
        image: Array-like of shape `(height, width, channels)`, read in blocks.
        scale: Int >= 1.

    Attributes:
        shape: Tuple of ints, `(scale * height, scale * width, channels)`.
        dtype: The dtype of `image`. Blocks are nevertheless floats, not rounded.
    """

    def __init__(self, image, scale):
        height, width, channels = image.shape
        self._image = image
        self.shape = (scale * height, scale * width, channels)
        self.ndim = 3
        self.dtype = np.dtype(image.dtype)

    def __getitem__(self, index):
        """Read a block as floats: `image[rows, columns]` or `image[rows]` (slices)."""
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        height, width, _ = self.shape
        return resize_block(
            self._image, height, width, rows, columns, "bilinear", False
        )


class PaddedImage:
    """Image as float32, padded at the bottom and right by reflection.

    Args:
        image: Array-like of shape `(height, width, channels)`: an object with a
            `shape` that returns NumPy arrays when sliced. It is read in blocks.
        multiple: Int. Height and width of the result are multiples of it.
    """

    def __init__(self, image, multiple=1):
        height, width, channels = image.shape
        self._image = image
        self._rows = np.pad(np.arange(height), (0, -height % multiple), "reflect")
        self._columns = np.pad(np.arange(width), (0, -width % multiple), "reflect")
        self.shape = (len(self._rows), len(self._columns), channels)

    def __getitem__(self, index):
        """Read a block as float32: `image[rows, columns]`, with two slices."""
        rows, columns = self._rows[index[0]], self._columns[index[1]]
        top, left = rows.min(), columns.min()
        block = np.asarray(
            self._image[top : rows.max() + 1, left : columns.max() + 1]
        ).astype("float32")
        if all(i[-1] - i[0] + 1 == len(i) for i in (rows, columns)):
            return block  # no part of it is reflected
        return block[np.ix_(rows - top, columns - left)]


def new_array(shape, on_disk):
    """Create a float32 array of zeros, a NumPy array or a `DiskArray`."""
    return DiskArray(shape) if on_disk else np.zeros(shape, "float32")


def row_bands(height, width):
    """Return slices of rows that cover an image, each of about `PIXELS_PER_BAND`."""
    rows = max(1, PIXELS_PER_BAND // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
