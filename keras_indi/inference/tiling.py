"""Exact tiles: evaluate F of a large image in tiles, equal to F of the whole."""

import itertools
import typing

import numpy as np
from keras import ops


class Window(typing.NamedTuple):
    """A tile along one axis, and the part of it that is kept, in image pixels.

    Attributes:
        origin: Int, first pixel of the tile.
        keep_from: Int, first pixel that is kept.
        keep_to: Int, first pixel after those that are kept.
        weights: Array of weights of the kept pixels if tiles are blended, else
            `None`.
    """

    origin: int
    keep_from: int
    keep_to: int
    weights: np.ndarray | None = None


def tile_windows(length, tile_size, halo):
    """Return the positions of tiles along one axis, and the part of each to keep.

    All tiles have the same size. A pixel of a tile is kept only if the tile extends at
    least `halo` beyond it on each side, except at the edges of the image.

    Args:
        length: Int, size of the image.
        tile_size: Int, size of the tiles, greater than `2 * halo`.
        halo: Int, pixels on each side on which an output depends.

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
    """Return the positions and weights of blended tiles along one axis.

    Each tile is kept completely. Its weight increases linearly over the pixels that it
    shares with its neighbours. The weights at a pixel sum to 1.

    Args:
        length: Int, size of the image.
        tile_size: Int, size of the tiles, greater than `overlap`.
        overlap: Int, pixels that neighbouring tiles share.

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
    """Tiles of an image, all of the same shape, and their assembly.

    Args:
        rows: List of `Window` of the vertical axis.
        columns: List of `Window` of the horizontal axis.
        shape: Pair of ints, height and width of the tiles.
        batch_size: Int, tiles per batch. The last batch is padded.
    """

    def __init__(self, rows, columns, shape, batch_size=1):
        self.shape = shape
        self._tiles = list(itertools.product(rows, columns))
        self._blended = rows[0].weights is not None
        self._batch_size = batch_size

    @property
    def num_batches(self):
        """Int, number of evaluations per image."""
        return -(-len(self._tiles) // self._batch_size)

    def evaluate(self, predict, images, times, degraded, target, progress):
        """Evaluate F of a whole image, tile by tile.

        Args:
            predict: Function of tensors `(images, times, degraded)`,
                convolutional, that returns the estimate.
            images: Array-like of shape `(height, width, channels)`, x_t.
            times: Scalar tensor, t.
            degraded: Like `images`, y. `None` if F does not need it.
            target: Array-like of that shape, to which the result is written.
            progress: `Progress`, advanced once per batch.
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
        # A partial batch is padded to full size to avoid another compilation.
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
