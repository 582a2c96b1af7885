"""Arrays that are read and written by blocks, in memory or on disk."""

import os
import tempfile

import numpy as np

from keras_indi.data.resize import resize_block

# What is worked on at a time where each pixel stands for itself.
PIXELS_PER_BAND = 2**18


class DiskArray:
    """An array in an anonymous temporary file, mapped while it is accessed.

    A mapping that stayed open would keep in memory what was touched. The file has
    no name, so that the system frees it with the process, however that ends. It
    lies where `tempfile` puts it: the folder of the environment variable `TMPDIR`,
    where that is set.

    Args:
        shape: Tuple of ints.
        dtype: NumPy dtype.

    Raises:
        OSError: If the disk has no room for it.
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
    """An image enlarged by a whole number each way, bilinear, where it is read.

    Pixels have half-pixel centres, and beyond its border the image goes on as its
    border pixel: see `keras_indi.data.resize`. Enlarging needs no antialiasing.

    Args:
        image: Array-like of shape `(height, width, channels)`, read by blocks.
        scale: Int >= 1.

    Attributes:
        shape: Tuple of ints, `(scale * height, scale * width, channels)`.
        dtype: The image's. Blocks are floats all the same, not rounded.
    """

    def __init__(self, image, scale):
        height, width, channels = image.shape
        self._image = image
        self.shape = (scale * height, scale * width, channels)
        self.ndim = 3
        self.dtype = np.dtype(image.dtype)

    def __getitem__(self, index):
        """A block as floats: `image[rows, columns]` or `image[rows]`, slices."""
        rows, columns = index if isinstance(index, tuple) else (index, slice(None))
        height, width, _ = self.shape
        return resize_block(
            self._image, height, width, rows, columns, "bilinear", False
        )


class PaddedImage:
    """An image as float32, padded below and to the right by reflection.

    Args:
        image: Array-like of shape `(height, width, channels)`: what has a `shape`
            and gives NumPy arrays when it is sliced. It is read by blocks.
        multiple: Int; height and width of the result are multiples of it.
    """

    def __init__(self, image, multiple=1):
        height, width, channels = image.shape
        self._image = image
        self._rows = np.pad(np.arange(height), (0, -height % multiple), "reflect")
        self._columns = np.pad(np.arange(width), (0, -width % multiple), "reflect")
        self.shape = (len(self._rows), len(self._columns), channels)

    def __getitem__(self, index):
        """A block as float32: `image[rows, columns]`, two slices."""
        rows, columns = self._rows[index[0]], self._columns[index[1]]
        top, left = rows.min(), columns.min()
        block = np.asarray(
            self._image[top : rows.max() + 1, left : columns.max() + 1]
        ).astype("float32")
        if all(i[-1] - i[0] + 1 == len(i) for i in (rows, columns)):
            return block  # nothing of it is reflected
        return block[np.ix_(rows - top, columns - left)]


def new_array(shape, on_disk):
    """A float32 array of zeros, a NumPy array or a `DiskArray`."""
    return DiskArray(shape) if on_disk else np.zeros(shape, "float32")


def row_bands(height, width):
    """Slices of rows, each of about `PIXELS_PER_BAND` pixels, that cover an image."""
    rows = max(1, PIXELS_PER_BAND // width)
    return [slice(top, min(top + rows, height)) for top in range(0, height, rows)]
