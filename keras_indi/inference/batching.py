"""The restoration of a collection of images, whole or in tiles."""

import typing
from collections import defaultdict

import numpy as np

from keras_indi.inference.arrays import PaddedImage
from keras_indi.inference.inputs import like_input
from keras_indi.inference.progress import Progress
from keras_indi.inference.tile_plan import PIXELS_PER_BATCH


class Network(typing.NamedTuple):
    """What restores, as compiled functions.

    Attributes:
        steps: Function of a bool, whether images fill their arrays in part, that
            returns a pair of functions, of `compile_moves`.
        estimate: Function of `(images, times, degraded)`.
        multiple: Int, the sizes it takes are multiples of it.
        condition_on_degraded: Bool, whether it takes the degraded image.
        shapes: `Shapes`, or `None` where images need not share shapes.
    """

    steps: typing.Callable
    estimate: typing.Callable
    multiple: int
    condition_on_degraded: bool
    shapes: typing.Any = None


class _Batch(typing.NamedTuple):
    """Draws that are restored together: whole, or one alone in tiles."""

    items: list  # of (image's index, draw)
    shape: tuple  # of the arrays, height and width
    size: int
    tiles: typing.Any  # `Tiles`, or `None`


def restore_images(
    network,
    walk,
    plan,
    images,
    num_samples,
    seed,
    batch_size,
    keep_states,
    verbose,
    to_values,
    value_range,
    out=None,
):
    """Restores images of any sizes, `num_samples` times each.

    Images of one padded size, or of sizes that share a compiled shape, share
    batches. The noise of a draw depends on the seed, the draw and the image's index
    alone, so that neither the batch size, nor tiles, nor the backend changes it.

    Args:
        network: `Network`.
        walk: `Trajectory`.
        plan: `TilePlan`.
        images: List of array-likes of shape `(height, width, channels)`.
        num_samples: Int, draws per image.
        seed: Int.
        batch_size: Int, or `None` for batches of about a megapixel.
        keep_states: Bool, whether to keep every state.
        verbose: See `Progress`.
        to_values: Function of an array of states that returns them in the units of
            the images.
        value_range: Pair of floats or `None`, what results are clipped to.
        out: Array-like that takes the one result. Defaults to `None`, new arrays.

    Returns:
        Nested list `[image][draw]` of arrays `(height, width, channels)` of the
        image's dtype; with `keep_states` float32 of shape
        `(states, height, width, channels)`.
    """
    batches = _batches(network, plan, images, num_samples, batch_size)
    work = [
        walk.num_steps
        if batch.tiles is None
        else walk.num_evaluations * batch.tiles.num_batches
        for batch in batches
    ]
    progress = Progress(sum(work), verbose)
    results = [[None] * num_samples for _ in images]
    for batch in batches:
        outputs = [
            _Output(
                images[index], walk.num_steps, keep_states, to_values, value_range, out
            )
            for index, _ in batch.items
        ]
        run = _run_whole if batch.tiles is None else _run_tiled
        run(network, walk, plan, images, batch, seed, progress, keep_states, outputs)
        for (index, draw), output in zip(batch.items, outputs):
            results[index][draw] = output.array
    return results


def _batches(network, plan, images, num_samples, batch_size):
    sizes_and_items = []
    for index, image in enumerate(images):
        padded = _padded_size(image, network.multiple)
        items = [(index, draw) for draw in range(num_samples)]
        sizes_and_items.append((padded, items))
    # Large images first: smaller ones then find shapes to share.
    order = sorted(sizes_and_items, key=lambda entry: -entry[0][0] * entry[0][1])
    groups, batches = defaultdict(list), []
    for padded, items in order:
        if plan.is_whole(*padded):
            shape = network.shapes.canvas(*padded) if network.shapes else padded
            groups[shape if plan.is_whole(*shape) else padded] += items
        else:
            tiles = plan.tiles(*padded, network.shapes)
            batches += [_Batch([item], padded, 1, tiles) for item in items]
    for shape, items in groups.items():
        size = batch_size or max(1, PIXELS_PER_BATCH // (shape[0] * shape[1]))
        size = min(size, len(items), plan.batch_limit(*shape) or size)
        batches += [
            _Batch(items[i : i + size], shape, size, None)
            for i in range(0, len(items), size)
        ]
    return batches


def _padded_size(image, multiple):
    height, width, _ = image.shape
    return height + -height % multiple, width + -width % multiple


def _generators(items, seed):
    return [np.random.default_rng((seed, *item)) for item in items]


def _run_whole(
    network, walk, plan, images, batch, seed, progress, keep_states, outputs
):
    # A short batch is filled up, so that it needs no compilation of its own.
    filled = batch.items + [batch.items[-1]] * (batch.size - len(batch.items))
    extents = [_padded_size(images[index], network.multiple) for index, _ in filled]
    channels = images[batch.items[0][0]].shape[-1]
    degraded = np.zeros((batch.size, *batch.shape, channels), "float32")
    for row, (index, _), (height, width) in zip(degraded, filled, extents):
        row[:height, :width] = PaddedImage(images[index], network.multiple)[:, :]
    generators = _generators(batch.items, seed)

    def draw_noise():
        noise = np.zeros(degraded.shape, "float32")
        for row, generator, (height, width) in zip(noise, generators, extents):
            row[:height, :width] = generator.standard_normal(
                (height, width, channels), dtype="float32"
            )
        return noise

    fills = all(extent == batch.shape for extent in extents)
    states = walk.run(
        network.steps(not fills),
        degraded,
        draw_noise,
        progress,
        keep_states,
        None if fills else np.array(extents, "int32"),
    )
    first = 0 if keep_states else walk.num_steps
    for state, values in enumerate(states, start=first):
        for row, output in zip(values, outputs):
            output.put(state, slice(0, row.shape[0]), row)


def _run_tiled(
    network, walk, plan, images, batch, seed, progress, keep_states, outputs
):
    (index, _), (output,) = batch.items[0], outputs
    (generator,) = _generators(batch.items, seed)
    degraded = PaddedImage(images[index], network.multiple)
    _, width, channels = degraded.shape

    def draw_noise(rows):
        return generator.standard_normal((rows, width, channels), dtype="float32")

    walk.run_tiled(
        network.estimate,
        batch.tiles,
        degraded,
        draw_noise,
        progress,
        output.put,
        on_disk=plan.needs_disk(*degraded.shape[:2]),
        condition_on_degraded=network.condition_on_degraded,
    )


class _Output:
    """Where one draw's states, or its last in the image's dtype, are put by bands."""

    def __init__(self, image, num_steps, keep_states, to_values, value_range, out):
        self._num_steps = num_steps
        self._keep_states = keep_states
        self._to_values = to_values
        self._value_range = value_range
        self._dtype = np.dtype(image.dtype)
        self._height, self._width, _ = image.shape
        if keep_states:
            self.array = np.zeros((num_steps + 1, *image.shape), "float32")
        else:
            self.array = np.zeros(image.shape, self._dtype) if out is None else out

    def put(self, state, rows, values):
        rows = slice(rows.start, min(rows.stop, self._height))
        values = values[: max(0, rows.stop - rows.start), : self._width]
        if not len(values) or not (self._keep_states or state == self._num_steps):
            return
        values = self._to_values(values)
        if self._keep_states:
            self.array[state, rows] = values
        else:
            self.array[rows] = like_input(values, self._dtype, self._value_range)
