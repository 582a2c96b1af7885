"""What restores images with one network: its compiled functions, and its tiles."""

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

# Rules that are kept compiled. A search over a sampler's arguments makes many.
KEPT_RULES = 8


class Engine:
    """Restore images of any size with one network, and keep what it compiles.

    Its functions are compiled when they are first used: once for each sampler (the
    `KEPT_RULES` last used are kept) and shape of the images, for all numbers of steps,
    grids and time shifts. They have captured the network and all that `estimate` reads
    but variables; an engine is thrown away when one of these is replaced.

    Args:
        backbone: Keras model or layer. It states by attributes, which it need not
            have: `bytes_per_pixel`, what it takes of the memory; and
            `works_on_canvas`, whether images may fill their arrays in part.
        estimate: Function of tensors `(images, times, degraded, time_shift=1.0)`,
            times a scalar, that returns the estimate that samplers ask for. It reads
            the backbone's variables and no others.
        condition_on_degraded: Bool, whether it needs the degraded images.
        value_range: `ValueRange`, to which results are clipped.
        size_multiple: Int, of which heights and widths are multiples.
        receptive_field: Int, the side in pixels of the window that an output of the
            network sees, so that there are tiles; `None` where it is not known.
    """

    # Else `estimate` is a function of arrays, called as it is.
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
        """How images go through the network: whole, or in which tiles.

        Args:
            tile_size: As for `restore` of a model.
            tile_overlap: As for `restore` of a model.
            max_memory: As for `restore` of a model.
            channels: Int, the images' channels.

        Raises:
            ValueError: If there are no such tiles.
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
        """The arrays in which `restore` with `fixed_shapes` takes images of a size.

        Args:
            height: Int.
            width: Int.
            plan: `TilePlan`.
            batch_size: As for `restore`.

        Returns:
            Tuple of ints, the number of images, the height and the width; `None`
            where each is restored alone in tiles.
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

        Images of one padded size, or of sizes that share a compiled shape, share
        batches. The noise of a draw depends on the image's seeds and the draw alone,
        so that neither the batch size, nor tiles, nor the backend changes it.

        Args:
            images: List of array-likes of shape `(height, width, channels)`.
            trajectory: `Trajectory`.
            plan: `TilePlan`.
            num_samples: Int, draws per image.
            seeds: List of pairs of ints, one an image.
            batch_size: Int, or `None` for batches of about a megapixel.
            keep_states: Bool, whether to keep every state.
            verbose: See `Progress`.
            out: Array-like that takes the one result. Defaults to `None`, new arrays.
            fixed_shapes: Bool, whether an image's size alone chooses the arrays that
                it is restored in. Defaults to `False`.

        Returns:
            Nested list `[image][draw]` of arrays `(height, width, channels)` of the
            image's dtype; with `keep_states` float32 of shape
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
    """What `Trajectory.run` walks with.

    Args:
        sampler: A `Sampler`.
        estimate: Pure function of `(images, times, degraded, time_shift)`, times a
            scalar, that returns the estimate.

    Returns:
        Pair of functions of `(images, times, next_times, time_shift, memory,
        degraded, *extents)` that return the new images and memory: a step, and the
        step that ends at t = 0, which may be the same function.
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
        variables: List of the `keras.Variable` that it reads.
    """
    step, last_step = moves(sampler, estimate)
    compiled_step = compiled.compile_function(step, variables)
    if last_step is step:
        return compiled_step, compiled_step
    return compiled_step, compiled.compile_function(last_step, variables)


def _bound(rule: Callable, estimate: Callable) -> Callable:
    """A sampler's rule with the estimate that it asks for."""

    def move(images, times, next_times, time_shift, memory, degraded, *extents):
        predict = functools.partial(estimate, degraded=degraded, time_shift=time_shift)
        canvas = contextlib.nullcontext()
        if extents:  # the images fill their arrays in part
            canvas = on_canvas(ops.shape(images)[1], *extents)
        with canvas:
            return rule(predict, images, times, next_times, memory)

    return move
