"""Engine that restores images with one network and caches compiled functions."""

import contextlib
import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_indi import samplers
from keras_indi.backend import compiled, several_devices
from keras_indi.inference import batching, memory
from keras_indi.inference.progress import Progress
from keras_indi.inference.tile_plan import FixedShapes, Shapes, TilePlan
from keras_indi.inference.tiled_trajectory import TiledTrajectory
from keras_indi.inference.trajectory import Trajectory
from keras_indi.layers import on_canvas
from keras_indi.value_range import ValueRange

# Number of compiled samplers in the cache. A search over sampler arguments makes many.
KEPT_RULES = 8


class Engine:
    """Restore images of any size with one network, and cache compiled functions.

    Functions are compiled on first use, once per sampler and image shape. The last
    `KEPT_RULES` samplers are cached. A compiled function supports all numbers of steps,
    time grids and time shifts. It captures the network and everything that `estimate`
    reads except variables. Create a new engine if one of these is replaced.

    Args:
        backbone: Keras model or layer. Optional attributes: `bytes_per_pixel`, its
            memory use, and `works_on_canvas`, whether images can be smaller than
            their arrays.
        estimate: Function of tensors `(images, times, degraded, time_shift=1.0)`, with
            scalar times, that returns the estimate for samplers. It reads no
            variables other than those of the backbone.
        condition_on_degraded: Bool, whether `estimate` needs the degraded images.
        value_range: `ValueRange` to which results are clipped.
        size_multiple: Int. Heights and widths are multiples of it.
        receptive_field: Int, side of the receptive field in pixels, which tiles
            require. `None` if it is unknown.
    """

    # Whether to compile `estimate`. If `False`, it is a function of arrays.
    compiles = True

    def __init__(
        self,
        backbone: keras.layers.Layer,
        estimate: Callable,
        condition_on_degraded: bool,
        value_range: ValueRange,
        size_multiple: int = 1,
        receptive_field: int | None = None,
    ) -> None:
        self._backbone = backbone
        self._estimate = estimate
        self._condition_on_degraded = condition_on_degraded
        self._value_range = value_range
        self._multiple = size_multiple
        self._receptive_field = receptive_field
        self._compiled_moves = functools.lru_cache(KEPT_RULES)(self._compile_moves)
        self._tile_estimate: Callable | None = None
        on_canvas = getattr(backbone, "works_on_canvas", False)
        self._shapes = Shapes(self._multiple, on_canvas)
        self._fixed_shapes = FixedShapes(self._multiple, on_canvas)

    def plan(
        self,
        tile_size: int | str | None,
        tile_overlap: int | None,
        max_memory: int | None,
        channels: int,
    ) -> TilePlan:
        """Plan whether images are restored whole or in tiles.

        Args:
            tile_size: As for `restore` of a model.
            tile_overlap: As for `restore` of a model.
            max_memory: As for `restore` of a model.
            channels: Int, number of channels of the images.

        Raises:
            ValueError: If tiles of this size are not possible.
        """
        reach = None
        if self._receptive_field is not None:
            reach = self._receptive_field // 2
        elif tile_size not in (None, "auto"):
            raise ValueError(
                "Tiles need a backbone with `receptive_field` and "
                "`size_multiple`, such as `UNetBackbone`; of another one they are "
                f"arguments of the model. Received: backbone={self._backbone!r}"
            )
        needed = memory.bytes_per_pixel(self._backbone)
        devices = several_devices.num_devices(self._backbone.variables)
        budget = memory.Budget(max_memory, needed, channels, devices)
        return TilePlan(budget, reach, self._multiple, tile_size, tile_overlap, devices)

    def batch_shape(
        self, height: int, width: int, plan: TilePlan, batch_size: int | None
    ) -> tuple[int, int, int] | None:
        """Return the array shape of `restore` with `fixed_shapes` for an image size.

        Args:
            height: Int.
            width: Int.
            plan: `TilePlan`.
            batch_size: As for `restore`.

        Returns:
            Tuple of ints: number of images, height and width. `None` if each image is
            restored separately in tiles.
        """
        padded = height + -height % self._multiple, width + -width % self._multiple
        shapes, batch_size = self._fixed(batch_size)
        return batching.batch_shape(padded, batch_size, plan, shapes)

    def _fixed(self, batch_size: int | None) -> tuple[FixedShapes | None, int | None]:
        if self.compiles and compiled.gains_from_batches():
            return self._fixed_shapes, batch_size
        return None, 1

    def restore(
        self,
        images: list[Any],
        trajectory: Trajectory,
        plan: TilePlan,
        num_samples: int,
        seeds: list[tuple[int, int]],
        batch_size: int | None,
        keep_states: bool,
        verbose: int | str | Callable[[int, int], Any],
        out: Any = None,
        fixed_shapes: bool = False,
    ) -> list[list[Any]]:
        """Restore images of any sizes, `num_samples` times each.

        Images with the same padded size, or with sizes that share a compiled shape,
        share batches. The noise of a draw depends only on the seeds of the image and
        the draw number, and not on batch size, tiles or backend.

        Args:
            images: List of array-likes of shape `(height, width, channels)`.
            trajectory: `Trajectory`.
            plan: `TilePlan`.
            num_samples: Int, draws per image.
            seeds: List of pairs of ints, one an image.
            batch_size: Int, or `None` for batches of about a megapixel.
            keep_states: Bool, whether to keep every state.
            verbose: See `Progress`.
            out: Array-like to which a single result is written. Defaults to `None`, new
                arrays.
            fixed_shapes: Bool, whether array shapes depend only on the size of an
                image. Defaults to `False`.

        Returns:
            Nested list `[image][draw]` of arrays `(height, width, channels)` with the
            dtype of the image. With `keep_states`, float32 of shape
            `(states, height, width, channels)`.
        """
        shapes: Any = None
        if self.compiles and compiled.compiles_each_shape():
            shapes = self._shapes
        if fixed_shapes:
            shapes, batch_size = self._fixed(batch_size)
        batches = batching.make_batches(
            images, num_samples, batch_size, plan, self._multiple, shapes
        )
        progress = Progress(sum(batch.work(trajectory) for batch in batches), verbose)
        results: list[list[Any]] = [[None] * num_samples for _ in images]
        for batch in batches:
            outputs = [
                batching.Output(
                    images[index], trajectory, keep_states, self._value_range, out
                )
                for index, _ in batch.items
            ]
            if batch.tiles is None:
                states = trajectory.run(
                    self._compiled_moves(trajectory.sampler),
                    *batch.arrays(images, seeds),
                    progress,
                    keep_states,
                )
                batching.put_whole(states, outputs, trajectory)
            else:
                degraded, draw_noise = batch.blocks(images, seeds)
                TiledTrajectory(
                    trajectory,
                    self._compiled_estimate(),
                    batch.tiles,
                    degraded,
                    draw_noise,
                    progress,
                    outputs[0].put,
                    plan.needs_disk(*batch.shape),
                    self._condition_on_degraded,
                ).run()
            for (index, draw), output in zip(batch.items, outputs):
                results[index][draw] = output.array
        return results

    def _compile_moves(self, sampler: samplers.Sampler) -> tuple[Callable, Callable]:
        if not self.compiles:
            return moves(sampler, self._estimate)
        return compile_moves(sampler, self._estimate, self._backbone.variables)

    def _compiled_estimate(self) -> Callable:
        if not self.compiles:
            return self._estimate
        if self._tile_estimate is None:
            self._tile_estimate = compiled.compile_function(
                self._estimate, self._backbone.variables
            )
        return self._tile_estimate


def moves(sampler: samplers.Sampler, estimate: Callable) -> tuple[Callable, Callable]:
    """Return the step functions for `Trajectory.run`.

    Args:
        sampler: A `Sampler`.
        estimate: Pure function of `(images, times, degraded, time_shift)`, with scalar
            times, that returns the estimate.

    Returns:
        Pair of functions of `(images, times, next_times, time_shift, memory,
        degraded, *extents)` that return the new images and memory: a step, and the
        last step, which ends at t = 0. They can be the same function.
    """
    step = _bound(sampler.step, estimate)
    if type(sampler).last_step is samplers.Sampler.last_step:
        return step, step
    return step, _bound(sampler.last_step, estimate)


def compile_moves(
    sampler: samplers.Sampler, estimate: Callable, variables: list[keras.Variable]
) -> tuple[Callable, Callable]:
    """Compile `moves`, each function once.

    Args:
        sampler: A `Sampler`.
        estimate: As for `moves`.
        variables: List of the `keras.Variable` that `estimate` reads.
    """
    step, last_step = moves(sampler, estimate)
    compiled_step = compiled.compile_function(step, variables)
    if last_step is step:
        return compiled_step, compiled_step
    return compiled_step, compiled.compile_function(last_step, variables)


def _bound(rule: Callable, estimate: Callable) -> Callable:
    """Bind an estimate function to a sampler's step function."""

    def move(images, times, next_times, time_shift, memory, degraded, *extents):
        predict = functools.partial(estimate, degraded=degraded, time_shift=time_shift)
        canvas = contextlib.nullcontext()
        if extents:  # images are smaller than their arrays
            canvas = on_canvas(ops.shape(images)[1], *extents)
        with canvas:
            return rule(predict, images, times, next_times, memory)

    return move
