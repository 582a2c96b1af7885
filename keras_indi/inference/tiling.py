"""Exact tiles: F of a large image from pieces, equal to F of the whole."""

import numpy as np
from keras import ops


def tile_windows(length, tile_size, halo):
    """Where tiles lie along one axis, and which part of each is kept.

    All tiles have the same size. A pixel is kept from a tile only where the
    tile reaches `halo` beyond it, or ends where the image ends.

    Args:
        length: Int, the image's extent.
        tile_size: Int, the tiles' extent, greater than `2 * halo`.
        halo: Int, what the network sees beyond a pixel, each way.

    Returns:
        List of `(origin, keep_from, keep_to)`, the latter two in image pixels.
    """
    if length <= tile_size:
        return [(0, 0, length)]
    windows, done = [], 0
    while done < length:
        origin = min(max(done - halo, 0), length - tile_size)
        end = origin + tile_size
        keep_to = length if end == length else end - halo
        windows.append((origin, done, keep_to))
        done = keep_to
    return windows


def tiled(predict, tile_size, reach, multiple):
    """Makes a function of whole images from one of tiles.

    Args:
        predict: Function of `(images, times, degraded)`, convolutional, that
            returns the estimate.
        tile_size: Int, height and width of the tiles that `predict` sees; a
            multiple of `multiple`.
        reach: Int, how far in pixels an output depends on inputs, each way.
        multiple: Int, tile origins lie on multiples of it.

    Returns:
        Function of the same arguments, for images of any larger size. The
        result equals `predict` of the whole image.

    Raises:
        ValueError: If the tiles are too small for the network's reach, or no
            multiple of `multiple`.
    """
    halo = -(-reach // multiple) * multiple
    if tile_size % multiple or tile_size <= 2 * halo:
        raise ValueError(
            f"`tile_size` must be a multiple of {multiple} and larger than "
            f"{2 * halo}: the network sees {reach} pixels each way, which every "
            f"tile must cover twice. Received: tile_size={tile_size}"
        )

    def predict_whole(images, times, degraded):
        _, height, width, _ = images.shape
        result = np.empty(tuple(images.shape), dtype="float32")
        for top, row_from, row_to in tile_windows(height, tile_size, halo):
            for left, column_from, column_to in tile_windows(width, tile_size, halo):
                rows = slice(top, top + tile_size)
                columns = slice(left, left + tile_size)
                estimate = predict(
                    images[:, rows, columns], times, degraded[:, rows, columns]
                )
                kept = ops.convert_to_numpy(estimate)[
                    :,
                    row_from - top : row_to - top,
                    column_from - left : column_to - left,
                ]
                result[:, row_from:row_to, column_from:column_to] = kept
        return ops.convert_to_tensor(result)

    return predict_whole
