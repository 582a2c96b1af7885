"""A sampler's walk from t = 1 to 0: over whole images, and tile by tile."""

import itertools

import keras
import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.inference import arrays


class Trajectory:
    """A sampler on a grid of times: everything but the network and the images.

    Args:
        sampler: The `Sampler`.
        times: NumPy array of shape `(num_steps + 1,)`, falling to 0.
        start_scale: Float, the standard deviation of the noise at the start.
        noise_scales: List of `num_steps` floats, that of the noise after each step.
        starts_at_degraded: Bool, whether the noise of the start is added to the
            degraded image; else the start is noise alone.
        time_shift: Float, k: where the sampler asks for F at t, the network is
            asked at `process.shift_times(t, k)`.
    """

    def __init__(
        self,
        sampler,
        times,
        start_scale,
        noise_scales,
        starts_at_degraded=True,
        time_shift=1.0,
    ):
        self.sampler = sampler
        self.num_steps = len(times) - 1
        self.num_evaluations = sampler.evaluations(self.num_steps)
        self.start_scale = start_scale
        self.moves = list(zip(times[:-1], times[1:], noise_scales))
        self._starts_at_degraded = starts_at_degraded
        self._time_shift = time_shift

    @classmethod
    def from_degraded(cls, sampler, times, noise_schedule, noise_unit, time_shift):
        """The walk of InDI, from `x_1 = y + eps_1 n`.

        Args:
            sampler: The `Sampler`.
            times: NumPy array of shape `(num_steps + 1,)`, falling from 1 to 0.
            noise_schedule: The `NoiseSchedule`.
            noise_unit: Float, the width of the value range, of which eps is a
                fraction.
            time_shift: Float, k.
        """
        start = noise_schedule.scale(ops.convert_to_tensor([1.0]))
        return cls(
            sampler,
            times,
            noise_unit * float(ops.convert_to_numpy(start)[0]),
            [
                noise_unit * sampler.noise_scale(noise_schedule, t, s)
                for t, s in itertools.pairwise(times)
            ],
            time_shift=time_shift,
        )

    def run(self, steps, degraded, draw_noise, progress, keep_states, extents=None):
        """Restores a batch of whole images.

        Args:
            steps: Pair of compiled functions, of `compile_moves`.
            degraded: float32 array `(batch, height, width, channels)`.
            draw_noise: Function without arguments that returns standard normal
                noise of that shape, new at each call.
            progress: `Progress`, advanced once a step.
            keep_states: Bool, whether to return every state.
            extents: int32 array `(batch, 2)`, the heights and widths of images
                that fill their arrays in part. Defaults to `None`, the whole.

        Returns:
            List of float32 NumPy arrays: all states from x_1 to x_0, or x_0.
        """
        degraded = ops.convert_to_tensor(degraded)
        images = degraded if self._starts_at_degraded else ops.zeros_like(degraded)
        images = _with_noise(images, self.start_scale, draw_noise)
        memory = self.sampler.initial_memory(images)
        states = [images]
        further = () if extents is None else (ops.convert_to_tensor(extents),)
        for time, next_time, scale in self.moves:
            step, last_step = steps
            move = last_step if next_time == 0 else step
            scalars = _scalars(time, next_time, self._time_shift)
            images, memory = move(images, *scalars, memory, degraded, *further)
            images = _with_noise(images, scale, draw_noise)
            states = [*states, images] if keep_states else [images]
            progress.advance()
        return [ops.convert_to_numpy(state) for state in states]

    def run_tiled(
        self,
        predict,
        tiles,
        degraded,
        draw_noise,
        progress,
        emit,
        on_disk=False,
        condition_on_degraded=True,
    ):
        """Restores one image of any size, reading and writing blocks of it.

        F is evaluated tile by tile on the whole image. What a rule does with its
        estimates it does to each pixel by itself, so that it runs on bands of
        rows. Where a rule asks for several estimates, it runs anew for each: up
        to the first that is not known yet.

        Args:
            predict: Compiled function of `(images, times, degraded)` of a batch.
            tiles: The image's `Tiles`.
            degraded: Array-like of shape `(height, width, channels)`, float32, that
                is read by blocks.
            draw_noise: Function of a number of rows that returns the next rows of
                a stream of standard normal noise.
            progress: `Progress`, advanced once a batch of tiles.
            emit: Function of `(state, rows, values)`, called with each band of
                each state: the state's index from 0 for x_1, a slice of rows, and
                the float32 array of them.
            on_disk: Bool, whether states lie on disk instead of in memory.
            condition_on_degraded: Bool, whether F takes the degraded image.
        """
        height, width, _ = degraded.shape
        bands = arrays.row_bands(height, width)
        everything = slice(None)

        def new_array():
            return arrays.new_array(degraded.shape, on_disk)

        images, target = degraded, None
        memory = _Memory(degraded.shape, on_disk)
        for rows in bands:
            band = degraded[rows, everything]
            if not self._starts_at_degraded:
                band = np.zeros_like(band)
            if self.start_scale != 0:
                noise = draw_noise(rows.stop - rows.start)
                band = ops.convert_to_numpy(
                    process.perturb(band, noise, self.start_scale)
                )
                images = target = new_array() if target is None else target
                target[rows] = band
            emit(0, rows, band)
            memory.put(rows, self.sampler.initial_memory(_tensor(band)))
        memory.commit()

        known = []  # arrays of a step's estimates, kept for the next step's
        for index, (time, next_time, scale) in enumerate(self.moves, start=1):
            last = next_time == 0
            rule = self.sampler.last_step if last else self.sampler.step
            times = _scalars(time, next_time)
            estimates = []
            done = False
            while not done:
                query = None
                for rows in bands:
                    band = _tensor(images[rows, everything])
                    found = [_tensor(estimate[rows]) for estimate in estimates]
                    try:
                        new, new_memory = rule(
                            _Tape(found), band, *times, memory.get(rows)
                        )
                    except _Awaited as awaited:
                        query_times = process.shift_times(
                            awaited.times, self._time_shift
                        )
                        if awaited.images is band:
                            query = images
                            break
                        query = new_array() if query is None else query
                        query[rows] = ops.convert_to_numpy(awaited.images)[0]
                        continue
                    done = True
                    if scale != 0:
                        new = process.perturb(
                            new, draw_noise(rows.stop - rows.start)[None], scale
                        )
                    new = ops.convert_to_numpy(new)[0]
                    emit(index, rows, new)
                    if index < self.num_steps:
                        target = new_array() if target is None else target
                        target[rows] = new
                        memory.put(rows, new_memory)
                if not done:
                    estimate = known.pop() if known else new_array()
                    known_y = degraded if condition_on_degraded else None
                    tiles.evaluate(
                        predict, query, query_times, known_y, estimate, progress
                    )
                    estimates.append(estimate)
            known += estimates
            memory.commit()
            images = target


class _Awaited(Exception):
    """Raised inside a rule that asks for an estimate that is not known yet."""

    def __init__(self, images, times):
        super().__init__()
        self.images = images
        self.times = times


class _Tape:
    """The `predict` of a rule on a band: answers in order what is known."""

    def __init__(self, estimates):
        self._estimates = list(estimates)

    def __call__(self, images, times):
        if not self._estimates:
            raise _Awaited(images, times)
        return self._estimates.pop(0)


class _Memory:
    """A sampler's memory by bands: what is an image in arrays, other values as such.

    `put` writes what the next step reads, `commit` ends the step.
    """

    def __init__(self, shape, on_disk):
        self._height, self._width, _ = shape
        self._on_disk = on_disk
        self._structure, self._leaves = (), []
        self._next = None

    def get(self, rows):
        leaves = [
            _tensor(leaf.array[rows]) if isinstance(leaf, _Plane) else leaf
            for leaf in self._leaves
        ]
        return keras.tree.pack_sequence_as(self._structure, leaves)

    def put(self, rows, memory):
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

    def commit(self):
        if self._next is not None:
            self._structure, self._leaves = self._next
            self._next = None

    def _place(self, leaf, before, rows):
        shape = tuple(getattr(leaf, "shape", ()))
        if len(shape) != 4 or shape[1:3] != (rows.stop - rows.start, self._width):
            return leaf
        shape = (self._height, self._width, shape[-1])
        if isinstance(before, _Plane) and before.array.shape == shape:
            return before
        return _Plane(arrays.new_array(shape, self._on_disk))


class _Plane:
    """Marks what of a memory is an image."""

    def __init__(self, array):
        self.array = array


def _tensor(band):
    # A copy: a backend may take an array as it lies, and its place is written anew.
    return ops.convert_to_tensor(np.array(band)[None])


def _scalars(*values):
    return [ops.convert_to_tensor(value, "float32") for value in values]


def _with_noise(images, scale, draw_noise):
    if scale == 0:
        return images
    return process.perturb(images, draw_noise(), scale)
