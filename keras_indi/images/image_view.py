"""View of a stored array as an image, read in blocks."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.tiff_samples import TiffSamples
from keras_indi.images.unusable import parsing
from keras_indi.optional_packages import optional_import


class ImageView:
    """View of a stored array as an image `(height, width, channels)`, read in blocks.

    Args:
        array: Array-like that returns NumPy arrays when sliced.
        axes: String or list with one letter per axis: `y`, `x`, and `c` or `s` for
            channels. All other axes must have length 1.
        metadata: Dict of the metadata that the output keeps.
        path: Path of the file, for the error message.
        num_pages: Int, number of TIFF pages that the array spans.
        samples: `TiffSamples` that converts stored samples to channels, or `None` if
            the samples are the channels.

    Raises:
        ValueError: If the array is not one image.
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
        # Zarr does not mark alpha: the last channel of a photograph is taken as alpha.
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


def by_blocks(module: str) -> ModuleType:
    """Import a library that reads or writes files in blocks."""
    return optional_import(module, extra="big", purpose="Using images by blocks")
