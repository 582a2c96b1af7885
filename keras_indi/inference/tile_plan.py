"""Plan whether images are restored whole or in tiles, and the tile shape."""

from keras_indi.inference.tiling import Tiles, feathered_windows, tile_windows

# Maximum pixels of a batch of tiles, and of a tile that is chosen automatically.
# Larger ones are not faster.
PIXELS_PER_BATCH = 2**20
PIXELS_PER_TILE = 2**22
# A compiled shape is reused if it costs at most this many times the best shape.
CANVAS_COST = 2.0
TILE_COST = 1.2


class TilePlan:
    """Plan for restoring images whole or in tiles.

    Args:
        budget: `Budget`.
        reach: Int, pixels in each direction on which an output depends. `None` if it
            is unknown, in which case tiles are not possible.
        multiple: Int. Origins and sizes of tiles are multiples of it.
        tile_size: `"auto"` uses tiles only for images that do not fit in memory. An
            int is the side of the tiles. `None` disables tiles.
        tile_overlap: Int, pixels that neighbouring tiles share. `None` uses the
            overlap that exact tiles require.
        num_devices: Int, number of devices that share a batch equally. Defaults to 1.

    Raises:
        ValueError: If the tiles are too small for the receptive field, or not a
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
        """Return whether an image of this padded size is restored whole."""
        if self._tile_size is None or not self._tiles_exist:
            return True
        if self._tile_size == "auto":
            return height * width <= self._budget.whole_pixels
        return False

    def batch_size(self, height, width, wanted=None):
        """Return the maximum batch size for images of this size.

        Args:
            height: Int.
            width: Int.
            wanted: Int, requested batch size, or `None` for about a megapixel per
                device.

        Returns:
            Int, a multiple of the number of devices that fits in memory.
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
        """Round up to a multiple of the number of devices."""
        return size + -size % self._num_devices

    def tiles(self, height, width, shapes=None):
        """Return the `Tiles` of an image of this padded size.

        Args:
            height: Int.
            width: Int.
            shapes: `Shapes` that images share, or `None`.

        Raises:
            ValueError: If the smallest tiles do not fit in memory.
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
        """Return whether the states of an image of this size are kept on disk."""
        return self._budget.needs_disk(height * width)


def tile_shape(height, width, overlap, multiple, most):
    """Return the shape of the tiles that cover an image at the lowest cost.

    Args:
        height: Int, height of the image, a multiple of `multiple`.
        width: Int, width of the image, a multiple of `multiple`.
        overlap: Int, pixels that neighbouring tiles share.
        multiple: Int. Tile sizes are multiples of it.
        most: Int, maximum number of pixels of a tile.

    Returns:
        Pair of ints, the shape with the fewest pixels in all tiles together (except
        for rounding up), and among those the most square. `None` if no shape is
        small enough.
    """

    def extents(length):
        """Return the smallest tile for each number of tiles along an axis."""
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
    """Return the total number of pixels of the tiles of an image."""
    pixels = 1
    for length, extent in zip((height, width), shape):
        number = -(-(length - overlap) // (extent - overlap)) if extent < length else 1
        pixels *= number * extent
    return pixels


class Shapes:
    """Compiled shapes, which images of different sizes share.

    Args:
        multiple: Int. Heights and widths of shapes are multiples of it.
        canvases: Bool, whether images can be smaller than their shape.
    """

    def __init__(self, multiple, canvases=True):
        self._multiple = multiple
        self._canvases = canvases
        self._whole = []
        self._tiles = []

    def canvas(self, height, width):
        """Return the array shape for an image of this padded size, restored whole.

        A compiled shape is reused if it covers the image with at most `CANVAS_COST`
        times its pixels. Otherwise a new shape is added. It is the size of the first
        image, and for later images the next size on a grid that is at most a quarter
        too large.

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
        """Return the tile shape for an image of this padded size.

        A compiled shape is reused if it costs at most `TILE_COST` times the best one.

        Args:
            height: Int.
            width: Int.
            best: Pair of ints, the best shape.
            overlap: Int, pixels that neighbouring tiles share.
            most: Int, maximum number of pixels of a tile.

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
    """Shapes that depend only on the size of an image, not on earlier images.

    Results are then identical to the byte, whatever else is restored before or in the
    same batch. Each compiled shape has its own order of operations, so shapes that
    depend on other images would change the rounding.

    Args:
        multiple: Int. Heights and widths of shapes are multiples of it.
        canvases: Bool, whether images can be smaller than their shape.
    """

    def __init__(self, multiple, canvases=True):
        self._multiple = multiple
        self.canvases = canvases

    def canvas(self, height, width):
        """Return the array shape for an image of this padded size, restored whole.

        Returns:
            Pair of ints: the next size on a grid that is at most a quarter too large.
            The size of the image if images cannot be smaller than their arrays.
        """
        if not self.canvases:
            return height, width
        return on_grid(height, self._multiple), on_grid(width, self._multiple)

    def tile(self, height, width, best, overlap, most):
        """Return the tile shape for an image of this padded size, as in `Shapes`.

        Images with the same canvas share a tile shape if they are at least as large.
        """
        canvas = on_grid(height, self._multiple), on_grid(width, self._multiple)
        shape = tile_shape(*canvas, overlap, self._multiple, most) or best
        return min(shape[0], height), min(shape[1], width)


def on_grid(size, multiple):
    """Round up to the next `multiple * k * 2**n`, with k from 4 to 8."""
    units = int(size) // multiple
    step = 2 ** max(0, (units - 1).bit_length() - 3)
    return -(-units // step) * step * multiple
