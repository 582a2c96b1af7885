"""Run a sampler on one image of any size, tile by tile."""

import contextlib
import functools
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.inference import arrays
from keras_indi.inference.ahead import made_ahead
from keras_indi.inference.progress import Progress
from keras_indi.inference.tiling import Tiles
from keras_indi.inference.trajectory import Trajectory, as_scalars

EVERYTHING = slice(None)


class TiledTrajectory:
    """Run a `Trajectory` on one image that is read and written in blocks.

    F is evaluated on the whole image, tile by tile. The rest of a sampler's step acts
    on each pixel independently, so it runs on one band of rows at a time. But a step
    requests estimates while it runs, and these need all bands. Steps are therefore
    replayed. Each band runs until it requests an estimate that is not known yet. After
    all bands, the estimate is evaluated, and the step runs again from its beginning.

    Example: a step of `HeunSampler` from t to s, which calls `predict`:

    1. The first pass stops at `predict(x_t, t)`. The tiles evaluate F of x_t.
    2. The second pass uses this estimate, computes x_s by an InDI step, and stops at
       `predict(x_s, s)`. The bands of x_s are collected in one array, on which the
       tiles evaluate F.
    3. The third pass uses both estimates and runs to the end. Each band is committed:
       noise is added, and it is written to the new state.

    A pass costs a few operations per pixel, which is little compared to the network.

    Args:
        trajectory: The `Trajectory`.
        predict: Compiled function of `(images, times, degraded)` of a batch.
        tiles: The `Tiles` of the image.
        degraded: float32 array-like of shape `(height, width, channels)`, read in
            blocks.
        draw_noise: Function of a number of rows that returns the next rows of
            standard normal noise. The noise of a band is drawn while the previous
            band or the network is computed.
        progress: `Progress`, advanced once per batch of tiles.
        emit: Function of `(state, rows, values)`, called with each band of each
            state: the index of the state (0 for x_1), a slice of rows, and their
            float32 array.
        on_disk: Bool, whether states are kept on disk instead of in memory.
        condition_on_degraded: Bool, whether F takes the degraded image.
    """

    def __init__(
        self,
        trajectory: Trajectory,
        predict: Callable,
        tiles: Tiles,
        degraded: Any,
        draw_noise: Callable[[int], np.ndarray],
        progress: Progress,
        emit: Callable[[int, slice, np.ndarray], None],
        on_disk: bool = False,
        condition_on_degraded: bool = True,
    ) -> None:
        self._trajectory = trajectory
        self._predict = predict
        self._tiles = tiles
        self._degraded = degraded
        self._progress = progress
        self._emit = emit
        self._on_disk = on_disk
        self._condition_on_degraded = condition_on_degraded
        self._bands = arrays.row_bands(*degraded.shape[:2])
        draws = [
            functools.partial(draw_noise, rows.stop - rows.start)
            for rows in self._bands
        ]
        self._noise = made_ahead(draws * trajectory.num_draws)
        self._memory = _Memory(degraded.shape, on_disk)
        # x_t, the array to which x_s is written (the same array after the first
        # state), and arrays of estimates, which every step reuses.
        self._images = degraded
        self._target: Any = None
        self._spare: list[Any] = []

    def run(self) -> None:
        """Run from t = 1 to 0, and emit every state."""
        with contextlib.closing(self._noise):
            self._start()
            for index in range(self._trajectory.num_steps):
                self._step(index)

    def _start(self) -> None:
        """Compute x_1 and the initial memory of the sampler."""
        trajectory = self._trajectory
        for rows in self._bands:
            band = self._degraded[rows, EVERYTHING]
            if not trajectory.starts_at_degraded:
                band = np.zeros_like(band)
            if trajectory.start_scale != 0:
                noise = next(self._noise)
                band = ops.convert_to_numpy(
                    process.perturb(band, noise, trajectory.start_scale)
                )
                self._write(rows, band)
            self._emit(0, rows, band)
            self._memory.put(rows, trajectory.sampler.initial_memory(_tensor(band)))
        self._end_state()

    def _step(self, index: int) -> None:
        """Move from t to s, with as many passes as the step requests estimates."""
        estimates: list[Any] = []
        while (query := self._pass(index, estimates)) is not None:
            estimates.append(self._evaluate(*query))
        self._spare += estimates
        self._end_state()

    def _pass(self, index: int, estimates: list[Any]) -> tuple[Any, Any] | None:
        """Run the step on all bands with the known estimates.

        Returns:
            The images and time for which the step requests another estimate. `None` if
            it ran to the end, and x_s is committed.
        """
        sampler = self._trajectory.sampler
        from_to = self._trajectory.moves[index][:2]
        rule = sampler.last_step if from_to[1] == 0 else sampler.step
        time, next_time = as_scalars(*from_to)
        images, query_times = None, None
        for rows in self._bands:
            band = _tensor(self._images[rows, EVERYTHING])
            known = _Replay(_tensor(estimate[rows]) for estimate in estimates)
            try:
                moved, memory = rule(
                    known, band, time, next_time, self._memory.get(rows)
                )
            except _Awaited as awaited:
                if awaited.images is band:  # true for all bands: F of x_t itself
                    return self._images, awaited.times
                images = self._new_array() if images is None else images
                images[rows] = ops.convert_to_numpy(awaited.images)[0]
                query_times = awaited.times
            else:
                self._commit(index, rows, moved, memory)
        return None if images is None else (images, query_times)

    def _evaluate(self, images: Any, times: Any) -> Any:
        """Evaluate F of the whole image at t, tile by tile."""
        estimate = self._spare.pop() if self._spare else self._new_array()
        self._tiles.evaluate(
            self._predict,
            images,
            process.shift_times(times, self._trajectory.time_shift),
            self._degraded if self._condition_on_degraded else None,
            estimate,
            self._progress,
        )
        return estimate

    def _commit(self, index: int, rows: slice, band: Any, memory: Any) -> None:
        """Add noise to a band and write it to x_s."""
        _, _, scale = self._trajectory.moves[index]
        if scale != 0:
            noise = next(self._noise)
            band = process.perturb(band, noise[None], scale)
        band = ops.convert_to_numpy(band)[0]
        self._emit(index + 1, rows, band)
        if index + 1 < self._trajectory.num_steps:
            self._write(rows, band)
            self._memory.put(rows, memory)

    def _write(self, rows: slice, band: np.ndarray) -> None:
        if self._target is None:
            self._target = self._new_array()
        self._target[rows] = band

    def _end_state(self) -> None:
        """Make the written state the start of the next step."""
        if self._target is not None:
            self._images = self._target
        self._memory.commit()

    def _new_array(self) -> Any:
        return arrays.new_array(self._degraded.shape, self._on_disk)


class _Awaited(Exception):
    """Raised inside a step that requests an estimate that is not known yet."""

    def __init__(self, images: Any, times: Any) -> None:
        super().__init__()
        self.images = images
        self.times = times


class _Replay:
    """The `predict` function of a step on a band: return known estimates in order."""

    def __init__(self, estimates: Iterable[Any]) -> None:
        self._estimates = list(estimates)

    def __call__(self, images: Any, times: Any) -> Any:
        if not self._estimates:
            raise _Awaited(images, times)
        return self._estimates.pop(0)


class _Memory:
    """Memory of a sampler in bands. Images are kept in arrays, other values unchanged.

    `put` writes the values that the next step reads. `commit` ends the step.
    """

    def __init__(self, shape: tuple[int, int, int], on_disk: bool) -> None:
        self._height, self._width, _ = shape
        self._on_disk = on_disk
        self._structure: Any = ()
        self._leaves: list[Any] = []
        self._next: tuple[Any, list[Any]] | None = None

    def get(self, rows: slice) -> Any:
        leaves = [
            _tensor(leaf.array[rows]) if isinstance(leaf, _Plane) else leaf
            for leaf in self._leaves
        ]
        return keras.tree.pack_sequence_as(self._structure, leaves)

    def put(self, rows: slice, memory: Any) -> None:
        leaves = keras.tree.flatten(memory)
        if self._next is None:
            old = itertools.chain(self._leaves, itertools.repeat(None))
            self._next = (
                memory,
                [self._place(leaf, before, rows) for leaf, before in zip(leaves, old)],
            )
        for place, leaf in zip(self._next[1], leaves):
            if isinstance(place, _Plane):
                place.array[rows] = ops.convert_to_numpy(leaf)[0]

    def commit(self) -> None:
        if self._next is not None:
            self._structure, self._leaves = self._next
            self._next = None

    def _place(self, leaf: Any, before: Any, rows: slice) -> Any:
        shape = tuple(getattr(leaf, "shape", ()))
        if len(shape) != 4 or shape[1:3] != (rows.stop - rows.start, self._width):
            return leaf
        shape = (self._height, self._width, shape[-1])
        if isinstance(before, _Plane) and before.array.shape == shape:
            return before
        return _Plane(arrays.new_array(shape, self._on_disk))


class _Plane:
    """Marks an image in a sampler's memory."""

    def __init__(self, array: Any) -> None:
        self.array = array


def _tensor(band: Any) -> Any:
    # Copy, because a backend may share the array's memory, which is overwritten later.
    return ops.convert_to_tensor(np.array(band)[None])
