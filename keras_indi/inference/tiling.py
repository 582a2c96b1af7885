"""Exact tiles: F of a large image from pieces, equal to F of the whole."""

import itertools
import typing

import numpy as np
from keras import ops


class Window(typing.NamedTuple):
    """A tile along one axis, and what is kept of it, in image pixels.

    Attributes:
        origin: Int, where the tile begins.
        keep_from: Int, the first pixel that is kept.
        keep_to: Int, the first pixel that is not.
        weights: Array of the kept pixels' weights where tiles are blended, else
            `None`.
    """

    origin: int
    keep_from: int
    keep_to: int
    weights: np.ndarray | None = None


def tile_windows(length, tile_size, halo):
    """Where tiles lie along one axis, and which part of each is kept.

    All tiles have the same size. A pixel is kept from a tile only where the
    tile reaches `halo` beyond it, or ends where the image ends.

    Args:
        length: Int, the image's extent.
        tile_size: Int, the tiles' extent, greater than `2 * halo`.
        halo: Int, what the network sees beyond a pixel, each way.

    Returns:
        List of `Window`.
    """
    if length <= tile_size:
        return [Window(0, 0, length)]
    windows, done = [], 0
    while done < length:
        origin = min(max(done - halo, 0), length - tile_size)
        end = origin + tile_size
        keep_to = length if end == length else end - halo
        windows.append(Window(origin, done, keep_to))
        done = keep_to
    return windows


def feathered_windows(length, tile_size, overlap):
    """Where tiles lie along one axis that fade into each other.

    Each tile is kept whole. Its weight rises in a ramp over the pixels it shares
    with its neighbours, and the weights at a pixel sum to 1.

    Args:
        length: Int, the image's extent.
        tile_size: Int, the tiles' extent, greater than `overlap`.
        overlap: Int, how many pixels neighbouring tiles share.

    Returns:
        List of `Window`.
    """
    if length <= tile_size:
        return [Window(0, 0, length, np.ones(length, "float32"))]
    stride = tile_size - overlap
    last = length - tile_size
    origins = [*range(0, last, stride), last]
    rising = np.minimum(1.0, (np.arange(tile_size) + 0.5) / max(overlap, 0.5))
    total = np.zeros(length)
    ramps = []
    for origin in origins:
        ramp = np.ones(tile_size)
        if origin > 0:
            ramp = ramp * rising
        if origin < last:
            ramp = ramp * rising[::-1]
        total[origin : origin + tile_size] += ramp
        ramps.append(ramp)
    return [
        Window(
            origin,
            origin,
            origin + tile_size,
            (ramp / total[origin : origin + tile_size]).astype("float32"),
        )
        for origin, ramp in zip(origins, ramps)
    ]


class Tiles:
    """The tiles of an image, all of one shape, and how they are put together.

    Args:
        rows: List of `Window` of the vertical axis.
        columns: List of `Window` of the horizontal axis.
        shape: Pair of ints, the tiles' height and width.
        batch_size: Int, how many are evaluated at a time; the last are filled up.
    """

    def __init__(self, rows, columns, shape, batch_size=1):
        self.shape = shape
        self._tiles = list(itertools.product(rows, columns))
        self._blended = rows[0].weights is not None
        self._batch_size = batch_size

    @property
    def num_batches(self):
        """Int, how many evaluations an image takes."""
        return -(-len(self._tiles) // self._batch_size)

    def evaluate(self, predict, images, times, degraded, target, progress):
        """F of a whole image, tile by tile.

        Args:
            predict: Function of tensors `(images, times, degraded)`,
                convolutional, that returns the estimate.
            images: Array-like of shape `(height, width, channels)`, x_t.
            times: Scalar tensor, t.
            degraded: Like `images`, y; or `None` where F needs none.
            target: Array-like of that shape, which takes the result.
            progress: `Progress`, advanced once a batch.
        """
        if self._blended:
            target[:] = 0.0
        for start in range(0, len(self._tiles), self._batch_size):
            tiles = self._tiles[start : start + self._batch_size]
            batch = self._read(images, tiles)
            known = batch
            if degraded is not None and degraded is not images:
                known = self._read(degraded, tiles)
            estimates = ops.convert_to_numpy(predict(batch, times, known))
            for estimate, (row, column) in zip(estimates, tiles):
                rows = slice(row.keep_from, row.keep_to)
                columns = slice(column.keep_from, column.keep_to)
                kept = estimate[
                    row.keep_from - row.origin : row.keep_to - row.origin,
                    column.keep_from - column.origin : column.keep_to - column.origin,
                ]
                if self._blended:
                    weights = row.weights[:, None, None] * column.weights[:, None]
                    kept = target[rows, columns] + weights * kept
                target[rows, columns] = kept
            progress.advance()

    def _read(self, images, tiles):
        height, width = self.shape
        # A short batch is filled up, so that it needs no compilation of its own.
        tiles = tiles + [tiles[-1]] * (self._batch_size - len(tiles))
        return ops.convert_to_tensor(
            np.stack(
                [
                    images[
                        row.origin : row.origin + height,
                        column.origin : column.origin + width,
                    ]
                    for row, column in tiles
                ]
            )
        )
