"""A stored array as an image, read by blocks."""

from collections.abc import Sequence
from types import ModuleType
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.tiff_samples import TiffSamples
from keras_indi.images.unusable import parsing
from keras_indi.optional_packages import optional_import


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


def by_blocks(module: str) -> ModuleType:
    """Import a library that reads or writes files by blocks."""
    return optional_import(module, extra="big", purpose="Using images by blocks")
