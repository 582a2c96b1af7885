"""Group images into batches, and collect their results."""

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

# Maximum size of batches that are always padded to full size. A partial batch then
# costs as much as a full one.
FILLED_UP = 16


class Batch:
    """Draws that are restored together: whole images, or one image in tiles.

    Args:
        items: List of pairs `(image index, draw number)`.
        shape: Pair of ints, height and width of the arrays.
        size: Int, number of images in the arrays.
        multiple: Int. Images are padded to multiples of it.
        tiles: The `Tiles` of a single image. Defaults to `None`, whole images.
        in_part: Bool, whether to treat images as smaller than their arrays even if
            all fill them, so that all are computed in the same way. Defaults to
            `False`.
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
        """Return the number of progress units: steps, or batches of tiles."""
        if self.tiles is None:
            return trajectory.num_steps
        return trajectory.num_evaluations * self.tiles.num_batches

    def arrays(
        self, images: list[Any], seeds: list[tuple[int, int]]
    ) -> tuple[np.ndarray, np.ndarray | None, Callable[[], np.ndarray]]:
        """Return the inputs of `Trajectory.run` for whole images.

        Args:
            images: List of all images.
            seeds: List of pairs of ints, one per image.

        Returns:
            Tuple of the degraded images in one array, their heights and widths (`None`
            if they fill it), and a function that draws noise for them.
        """
        # A partial batch is padded to full size to avoid another compilation.
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
        """Return the inputs of a `TiledTrajectory` for a single image.

        Args:
            images: List of all images.
            seeds: List of pairs of ints, one per image.

        Returns:
            The degraded image, and a function that draws the next rows of noise.
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
    """Group draws into batches by the size of their images.

    Args:
        images: List of array-likes of shape `(height, width, channels)`.
        num_samples: Int, draws per image.
        batch_size: Int, or `None` for batches of about a megapixel.
        plan: `TilePlan`.
        multiple: Int. Images are padded to multiples of it.
        shapes: `Shapes` that images share, or `None` to not share shapes. With
            `FixedShapes`, all batches of a shape have the same size.

    Returns:
        List of `Batch`.
    """
    fixed = isinstance(shapes, FixedShapes)
    sizes_and_items = []
    for index, image in enumerate(images):
        padded = padded_size(image, multiple)
        items = [(index, draw) for draw in range(num_samples)]
        sizes_and_items.append((padded, items))
    # Large images first, so that smaller ones can share their shapes.
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
    """Return the shape of the arrays in which images of a size are restored whole.

    Args:
        padded: Pair of ints, the padded height and width.
        batch_size: As for `make_batches`.
        plan: `TilePlan`.
        shapes: As for `make_batches`.

    Returns:
        Tuple of ints: maximum number of images, height and width. `None` if each image
        is restored separately in tiles.
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
    """Collect the states of one draw, or the result in the image's dtype, in bands.

    Args:
        image: Array-like of shape `(height, width, channels)`, the degraded image.
        trajectory: `Trajectory`.
        keep_states: Bool, whether to keep every state.
        value_range: `ValueRange` to which the result is clipped.
        out: Array-like to which the result is written. Defaults to a new array.

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
        """Add a band of a state.

        Args:
            state: Int, index of the state, 0 for x_1.
            rows: Slice of the rows.
            values: float32 array of these rows, at least as wide as the image.
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
    """Add the states of whole images, all or the last, to their outputs."""
    first = trajectory.num_steps + 1 - len(states)
    for state, values in enumerate(states, start=first):
        for row, output in zip(values, outputs):
            output.put(state, slice(0, row.shape[0]), row)


def padded_size(image: Any, multiple: int) -> tuple[int, int]:
    """Return height and width of an image, padded to multiples."""
    height, width, _ = image.shape
    return height + -height % multiple, width + -width % multiple


def _generator(
    item: tuple[int, int], seeds: list[tuple[int, int]]
) -> np.random.Generator:
    index, draw = item
    # NumPy pads short seeds with zeros. Without the final 1, seed 0 would draw the
    # noise of `default_rng(0)`, with which the image may have been degraded. Repeating
    # that noise at the start makes the restoration much worse.
    return np.random.default_rng((*seeds[index], draw, 1))
