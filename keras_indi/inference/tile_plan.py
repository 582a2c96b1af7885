"""Whether an image restores whole or in tiles, and of what shape."""

from keras_indi.inference.tiling import Tiles, feathered_windows, tile_windows

# Tiles are batched up to about this many pixels, and no tile that is chosen here
# is larger than the second: larger ones are not faster.
PIXELS_PER_BATCH = 2**20
PIXELS_PER_TILE = 2**22
# A shape that is compiled already is taken where it costs at most so many times
# what the best does.
CANVAS_COST = 2.0
TILE_COST = 1.2


class TilePlan:
    """How images go through a network of a known reach.

    Args:
        budget: `Budget`.
        reach: Int, how far in pixels an output depends on inputs, each way; or
            `None` for a network that does not state it, which has no tiles.
        multiple: Int, tiles' origins and sizes are multiples of it.
        tile_size: `"auto"`, tiles where an image does not fit whole; an int, tiles
            of this side; or `None`, no tiles.
        tile_overlap: Int, how many pixels neighbouring tiles share; `None` for
            what exact tiles need.
        num_devices: Int, how many devices share a batch, each with as many of its
            images or tiles. Defaults to 1.

    Raises:
        ValueError: If the tiles are too small for the network's reach, or no
            multiple of `multiple`.
    """

    def __init__(
        self,
        budget,
        reach,
        multiple,
        tile_size="auto",
        tile_overlap=None,
        num_devices=1,
    ):
        self._budget = budget
        self._num_devices = num_devices
        self._multiple = multiple
        self._tile_size = tile_size
        self._tiles_exist = reach is not None
        if not self._tiles_exist:
            return
        self._halo = -(-reach // multiple) * multiple
        self._overlap = 2 * self._halo
        self._feathered = tile_overlap is not None and tile_overlap < 2 * reach
        if tile_overlap is not None:
            self._overlap = -(-tile_overlap // multiple) * multiple
            if not self._feathered:
                self._overlap = max(self._overlap, 2 * self._halo)
                self._halo = -(-self._overlap // (2 * multiple)) * multiple
                self._overlap = 2 * self._halo
        if tile_size not in (None, "auto") and (
            tile_size % multiple or tile_size <= self._overlap
        ):
            because = (
                "which is how much neighbouring tiles overlap"
                if self._feathered
                else f"the network sees {reach} pixels each way, which every tile "
                "must cover twice"
            )
            raise ValueError(
                f"`tile_size` must be a multiple of {multiple} and larger than "
                f"{self._overlap}: {because}. Received: tile_size={tile_size}"
            )

    def is_whole(self, height, width):
        """Bool: whether an image of this (padded) size is restored whole."""
        if self._tile_size is None or not self._tiles_exist:
            return True
        if self._tile_size == "auto":
            return height * width <= self._budget.whole_pixels
        return False

    def batch_size(self, height, width, wanted=None):
        """How many images of this size are restored at a time, at most.

        Args:
            height: Int.
            width: Int.
            wanted: Int, how many it should be, or `None` for about a megapixel on
                each device.

        Returns:
            Int, a multiple of the number of devices: at most what memory has room for.
        """
        pixels = height * width
        limit = self._num_devices * max(1, PIXELS_PER_BATCH // pixels)
        if wanted is not None:
            limit = wanted
        if self._tile_size is not None:
            fitting = max(1, self._budget.whole_pixels // pixels)
            limit = min(limit, self._num_devices * fitting)
        return self.filled(limit)

    def filled(self, size):
        """The next number that the devices divide."""
        return size + -size % self._num_devices

    def tiles(self, height, width, shapes=None):
        """The `Tiles` of an image of this (padded) size.

        Args:
            height: Int.
            width: Int.
            shapes: `Shapes` that images share, or `None`.

        Raises:
            ValueError: If the smallest tiles do not fit into the memory.
        """
        if self._tile_size == "auto":
            shape = self._chosen_shape(height, width, shapes)
        else:
            shape = (min(self._tile_size, height), min(self._tile_size, width))
        windows, shared = tile_windows, self._halo
        if self._feathered:
            windows, shared = feathered_windows, self._overlap
        rows = windows(height, shape[0], shared)
        columns = windows(width, shape[1], shared)
        pixels = min(PIXELS_PER_BATCH, self._budget.evaluated_pixels)
        size = self._num_devices * max(1, pixels // (shape[0] * shape[1]))
        size = self.filled(min(size, len(rows) * len(columns)))
        return Tiles(rows, columns, shape, size)

    def _chosen_shape(self, height, width, shapes):
        most = min(self._budget.evaluated_pixels, PIXELS_PER_TILE)
        shape = tile_shape(height, width, self._overlap, self._multiple, most)
        if shape is None:
            side = self._overlap + self._multiple
            least = self._budget.least_memory(side**2)
            raise ValueError(
                "`max_memory` must have room for the smallest tile, of "
                f"{side}x{side} pixels: {least} bytes. Received: "
                f"max_memory={self._budget.total}"
            )
        if shapes is None:
            return shape
        return shapes.tile(height, width, shape, self._overlap, most)

    def needs_disk(self, height, width):
        """Bool: whether the states of an image of this size lie on disk."""
        return self._budget.needs_disk(height * width)


def tile_shape(height, width, overlap, multiple, most):
    """The shape of the tiles that cover an image at the least cost.

    Args:
        height: Int, the image's height, a multiple of `multiple`.
        width: Int, the image's width, likewise.
        overlap: Int, how many pixels neighbouring tiles share.
        multiple: Int, the tiles' sizes are multiples of it.
        most: Int, how many pixels a tile may have.

    Returns:
        Pair of ints, the shape for which all tiles together have the fewest
        pixels (but for rounding up), and of those the squarest; or `None` if none
        is small enough.
    """

    def extents(length):
        """The smallest tile for each number of tiles along an axis."""
        number, found = 1, []
        while True:
            extent = -(-(length + overlap * (number - 1)) // number)
            extent += -extent % multiple
            if number > 1 and extent < overlap + multiple:
                return found
            if not found or extent < found[-1][1]:
                found.append((number, extent))
            if extent <= overlap + multiple:
                return found
            number += 1

    best = None
    columns = extents(width)
    for _, tile_height in extents(height):
        fitting = [extent for _, extent in columns if tile_height * extent <= most]
        if not fitting:
            continue
        shape = (tile_height, fitting[0])
        cost = tiled_pixels(height, width, shape, overlap)
        candidate = cost, abs(shape[0] - shape[1]), shape
        best = candidate if best is None else min(best, candidate)
    return best and best[-1]


def tiled_pixels(height, width, shape, overlap):
    """Int, how many pixels the tiles of an image have together."""
    pixels = 1
    for length, extent in zip((height, width), shape):
        number = -(-(length - overlap) // (extent - overlap)) if extent < length else 1
        pixels *= number * extent
    return pixels


class Shapes:
    """The shapes that are compiled so far, for images of many sizes to share.

    Args:
        multiple: Int, the shapes' sizes are multiples of it.
        canvases: Bool, whether images may fill a shape in part.
    """

    def __init__(self, multiple, canvases=True):
        self._multiple = multiple
        self._canvases = canvases
        self._whole = []
        self._tiles = []

    def canvas(self, height, width):
        """The shape in which an image of this (padded) size is restored whole.

        A compiled one that covers it, at up to `CANVAS_COST` times its pixels. Else
        a new one: the first image's own, then the next of a grid on which a size is
        at most a quarter too large.

        Returns:
            Pair of ints.
        """
        if not self._canvases:
            return height, width
        covering = [
            shape
            for shape in self._whole
            if shape[0] >= height
            and shape[1] >= width
            and shape[0] * shape[1] <= CANVAS_COST * height * width
        ]
        if covering:
            return min(covering, key=lambda shape: shape[0] * shape[1])
        shape = (height, width)
        if self._whole:
            shape = on_grid(height, self._multiple), on_grid(width, self._multiple)
        self._whole.append(shape)
        return shape

    def tile(self, height, width, best, overlap, most):
        """The shape of the tiles of an image of this (padded) size.

        A compiled one that costs at most `TILE_COST` times the best, or the best.

        Args:
            height: Int.
            width: Int.
            best: Pair of ints, the best shape.
            overlap: Int, how many pixels neighbouring tiles share.
            most: Int, how many pixels a tile may have.

        Returns:
            Pair of ints.
        """

        def cost(shape):
            return tiled_pixels(height, width, shape, overlap)

        suiting = [
            shape
            for shape in self._tiles
            if shape[0] <= height
            and shape[1] <= width
            and all(
                extent > overlap or extent == length
                for extent, length in zip(shape, (height, width))
            )
            and shape[0] * shape[1] <= most
            and cost(shape) <= TILE_COST * cost(best)
        ]
        if suiting:
            return min(suiting, key=cost)
        self._tiles.append(best)
        return best


class FixedShapes:
    """Shapes that depend on an image's own size alone, not on what came before it.

    An image's result is then the same bytes whatever is restored before it or beside
    it, as each compiled shape computes in its own order.

    Args:
        multiple: Int, the shapes' sizes are multiples of it.
        canvases: Bool, whether images may fill a shape in part.
    """

    def __init__(self, multiple, canvases=True):
        self._multiple = multiple
        self.canvases = canvases

    def canvas(self, height, width):
        """The shape in which an image of this (padded) size is restored whole.

        Returns:
            Pair of ints: the next of a grid on which a size is at most a quarter too
            large; the image's own where canvases cannot be filled in part.
        """
        if not self.canvases:
            return height, width
        return on_grid(height, self._multiple), on_grid(width, self._multiple)

    def tile(self, height, width, best, overlap, most):
        """The shape of the tiles of an image of this (padded) size, as of `Shapes`.

        Images that share a canvas share it, as far as they are as large as a tile.
        """
        canvas = on_grid(height, self._multiple), on_grid(width, self._multiple)
        shape = tile_shape(*canvas, overlap, self._multiple, most) or best
        return min(shape[0], height), min(shape[1], width)


def on_grid(size, multiple):
    """The next `multiple * k * 2**n` from `size` on, with k from 4 to 8."""
    units = int(size) // multiple
    step = 2 ** max(0, (units - 1).bit_length() - 3)
    return -(-units // step) * step * multiple
