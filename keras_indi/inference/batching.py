"""Which images are restored together, what they are as arrays, and their results."""

from collections import defaultdict
from collections.abc import Callable
from typing import Any

import numpy as np
from keras import ops

from keras_indi.inference.arrays import PaddedImage
from keras_indi.inference.inputs import like_input
from keras_indi.inference.tile_plan import FixedShapes, Shapes, TilePlan
from keras_indi.inference.tiling import Tiles
from keras_indi.inference.trajectory import Trajectory
from keras_indi.value_range import ValueRange

# Images in a batch that is always filled up, as the last of many then costs as much
# as a full one.
FILLED_UP = 16


class Batch:
    """Draws that are restored together: whole, or one alone in tiles.

    Args:
        items: List of pairs of an image's index and the number of a draw of it.
        shape: Pair of ints, height and width of the arrays.
        size: Int, how many the arrays hold.
        multiple: Int, images are padded to multiples of it.
        tiles: The `Tiles` of the one image; `None`, the default, for whole images.
        in_part: Bool, whether images count as filling their arrays in part even where
            all fill them, so that they are computed in one way. Defaults to `False`.
    """

    def __init__(
        self,
        items: list[tuple[int, int]],
        shape: tuple[int, int],
        size: int,
        multiple: int,
        tiles: Tiles | None = None,
        in_part: bool = False,
    ) -> None:
        self.items = items
        self.shape = shape
        self.tiles = tiles
        self._size = size
        self._multiple = multiple
        self._in_part = in_part

    def work(self, trajectory: Trajectory) -> int:
        """Int, how many units of progress it takes: steps, or batches of tiles."""
        if self.tiles is None:
            return trajectory.num_steps
        return trajectory.num_evaluations * self.tiles.num_batches

    def arrays(
        self, images: list[Any], seeds: list[tuple[int, int]]
    ) -> tuple[np.ndarray, np.ndarray | None, Callable[[], np.ndarray]]:
        """What `Trajectory.run` takes of whole images.

        Args:
            images: List of all images.
            seeds: List of pairs of ints, one an image.

        Returns:
            The degraded images in one array; their heights and widths, or `None`
            where they fill it; and what draws noise for them.
        """
        # A short batch is filled up, so that it needs no compilation of its own.
        filled = self.items + [self.items[-1]] * (self._size - len(self.items))
        extents = [padded_size(images[index], self._multiple) for index, _ in filled]
        channels = images[self.items[0][0]].shape[-1]
        degraded = np.zeros((self._size, *self.shape, channels), "float32")
        for row, (index, _), (height, width) in zip(degraded, filled, extents):
            row[:height, :width] = PaddedImage(images[index], self._multiple)[:, :]
        generators = [_generator(item, seeds) for item in self.items]

        def draw_noise() -> np.ndarray:
            noise = np.zeros(degraded.shape, "float32")
            for row, generator, (height, width) in zip(noise, generators, extents):
                row[:height, :width] = generator.standard_normal(
                    (height, width, channels), dtype="float32"
                )
            return noise

        if not self._in_part and all(extent == self.shape for extent in extents):
            return degraded, None, draw_noise
        return degraded, np.array(extents, "int32"), draw_noise

    def blocks(
        self, images: list[Any], seeds: list[tuple[int, int]]
    ) -> tuple[PaddedImage, Callable[[int], np.ndarray]]:
        """What a `TiledTrajectory` takes of the one image.

        Args:
            images: List of all images.
            seeds: List of pairs of ints, one an image.

        Returns:
            The degraded image, and what draws the next rows of noise for it.
        """
        (item,) = self.items
        degraded = PaddedImage(images[item[0]], self._multiple)
        _, width, channels = degraded.shape
        generator = _generator(item, seeds)

        def draw_noise(rows: int) -> np.ndarray:
            return generator.standard_normal((rows, width, channels), dtype="float32")

        return degraded, draw_noise


def make_batches(
    images: list[Any],
    num_samples: int,
    batch_size: int | None,
    plan: TilePlan,
    multiple: int,
    shapes: Shapes | FixedShapes | None,
) -> list[Batch]:
    """Group draws by their images' sizes.

    Args:
        images: List of array-likes of shape `(height, width, channels)`.
        num_samples: Int, draws per image.
        batch_size: Int, or `None` for batches of about a megapixel.
        plan: `TilePlan`.
        multiple: Int, images are padded to multiples of it.
        shapes: `Shapes` that images share, or `None` where they need not. With
            `FixedShapes` all batches of a shape are of one size.

    Returns:
        List of `Batch`.
    """
    fixed = isinstance(shapes, FixedShapes)
    sizes_and_items = []
    for index, image in enumerate(images):
        padded = padded_size(image, multiple)
        items = [(index, draw) for draw in range(num_samples)]
        sizes_and_items.append((padded, items))
    # Large images first: smaller ones then find shapes to share.
    order = sorted(sizes_and_items, key=lambda entry: -entry[0][0] * entry[0][1])
    groups: dict[tuple[int, int, int], list] = defaultdict(list)
    batches = []
    for padded, items in order:
        arrays = batch_shape(padded, batch_size, plan, shapes)
        if arrays is not None:
            groups[arrays] += items
        else:
            tiles = plan.tiles(*padded, shapes)
            batches += [Batch([item], padded, 1, multiple, tiles) for item in items]
    in_part = isinstance(shapes, FixedShapes) and shapes.canvases
    for (size, height, width), items in groups.items():
        size = size if fixed else plan.filled(min(size, len(items)))
        shape = height, width
        batches += [
            Batch(items[i : i + size], shape, size, multiple, in_part=in_part)
            for i in range(0, len(items), size)
        ]
    return batches


def batch_shape(
    padded: tuple[int, int],
    batch_size: int | None,
    plan: TilePlan,
    shapes: Shapes | FixedShapes | None,
) -> tuple[int, int, int] | None:
    """The arrays in which images of a size are restored whole.

    Args:
        padded: Pair of ints, the padded height and width.
        batch_size: As for `make_batches`.
        plan: `TilePlan`.
        shapes: As for `make_batches`.

    Returns:
        Tuple of ints, how many images at most, the height and the width; `None` where
        each is restored alone in tiles.
    """
    if not plan.is_whole(*padded):
        return None
    shape = shapes.canvas(*padded) if shapes else padded
    shape = shape if plan.is_whole(*shape) else padded
    size = plan.batch_size(shape[0], shape[1], batch_size)
    if batch_size is None and isinstance(shapes, FixedShapes):
        size = plan.filled(min(size, FILLED_UP))
    return size, *shape


class Output:
    """Where one draw's states, or its last in the image's dtype, are put by bands.

    Args:
        image: Array-like of shape `(height, width, channels)`, the degraded image.
        trajectory: `Trajectory`.
        keep_states: Bool, whether every state is kept.
        value_range: `ValueRange`, to which the image's dtype is clipped.
        out: Array-like that takes the result. Defaults to `None`, a new array.

    Attributes:
        array: The result.
    """

    def __init__(
        self,
        image: Any,
        trajectory: Trajectory,
        keep_states: bool,
        value_range: ValueRange,
        out: Any = None,
    ) -> None:
        self._trajectory = trajectory
        self._keep_states = keep_states
        self._value_range = value_range
        self._dtype = np.dtype(image.dtype)
        self._height, self._width, _ = image.shape
        self.array = out
        if keep_states:
            shape = (trajectory.num_steps + 1, *image.shape)
            self.array = np.zeros(shape, "float32")
        elif out is None:
            self.array = np.zeros(image.shape, self._dtype)

    def put(self, state: int, rows: slice, values: np.ndarray) -> None:
        """Take a band of a state.

        Args:
            state: Int, the state's index from 0 for x_1.
            rows: Slice of the rows.
            values: float32 array of them, as wide as the image or wider.
        """
        rows = slice(rows.start, min(rows.stop, self._height))
        values = values[: max(0, rows.stop - rows.start), : self._width]
        last = state == self._trajectory.num_steps
        if not len(values) or not (self._keep_states or last):
            return
        values = ops.convert_to_numpy(self._trajectory.to_values(values))
        if self._keep_states:
            self.array[state, rows] = values
        else:
            self.array[rows] = like_input(values, self._dtype, self._value_range)


def put_whole(
    states: list[np.ndarray], outputs: list[Output], trajectory: Trajectory
) -> None:
    """Put the states of whole images, all or the last, into their outputs."""
    first = trajectory.num_steps + 1 - len(states)
    for state, values in enumerate(states, start=first):
        for row, output in zip(values, outputs):
            output.put(state, slice(0, row.shape[0]), row)


def padded_size(image: Any, multiple: int) -> tuple[int, int]:
    """The height and width of an image, filled up to multiples."""
    height, width, _ = image.shape
    return height + -height % multiple, width + -width % multiple


def _generator(
    item: tuple[int, int], seeds: list[tuple[int, int]]
) -> np.random.Generator:
    index, draw = item
    # NumPy takes the words that a seed lacks for zeros. Without a last one that is not
    # zero, seed 0 would draw the noise of `default_rng(0)`, with which the image may
    # have been degraded; a start that repeats that noise restores much worse.
    return np.random.default_rng((*seeds[index], draw, 1))
