"""A sampler's way from t = 1 to 0, and its walk over whole images."""

import contextlib
import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.backend import compiled
from keras_indi.inference.ahead import made_ahead
from keras_indi.inference.progress import Progress
from keras_indi.samplers import Sampler
from keras_indi.schedules.noise_schedule import NoiseSchedule


class Trajectory:
    """A sampler on a grid of times: everything but the network and the images.

    Args:
        sampler: The `Sampler`.
        times: NumPy array of shape `(num_steps + 1,)`, falling to 0.
        start_scale: Float, the standard deviation of the noise at the start.
        noise_scales: List of `num_steps` floats, that of the noise after each step.
        starts_at_degraded: Bool, whether the noise of the start is added to the
            degraded image; else the start is noise alone. Defaults to `True`.
        time_shift: Float, k: where the sampler asks for F at t, the network is
            asked at `process.shift_times(t, k)`. Defaults to 1, no shift.
        to_values: Function of an array or tensor of states that returns them as a
            tensor in the units of the images. Defaults to `None`, states are in those
            already.

    Attributes:
        num_steps: Int, how many steps it has.
        num_evaluations: Int, how often it evaluates F on an image.
        num_draws: Int, how often noise is added to the state.
        moves: List of a triple a step: t, s, and the scale of the noise after it.
    """

    def __init__(
        self,
        sampler: Sampler,
        times: np.ndarray,
        start_scale: float,
        noise_scales: Sequence[float],
        starts_at_degraded: bool = True,
        time_shift: float = 1.0,
        to_values: Callable[[Any], Any] | None = None,
    ) -> None:
        self.sampler = sampler
        self.num_steps = len(times) - 1
        self.num_evaluations = sampler.evaluations(self.num_steps)
        self.start_scale = start_scale
        self.moves = list(zip(times[:-1], times[1:], noise_scales))
        self.num_draws = sum(scale != 0 for scale in (start_scale, *noise_scales))
        self.starts_at_degraded = starts_at_degraded
        self.time_shift = time_shift
        self._to_values = to_values

    @classmethod
    def from_degraded(
        cls,
        sampler: Sampler,
        times: np.ndarray,
        noise_schedule: NoiseSchedule,
        noise_unit: float,
        time_shift: float,
    ) -> "Trajectory":
        """The way of InDI, from `x_1 = y + eps_1 n`.

        Args:
            sampler: The `Sampler`.
            times: NumPy array of shape `(num_steps + 1,)`, falling from 1 to 0.
            noise_schedule: The `NoiseSchedule`.
            noise_unit: Float, the values of the images that 1 is for the network,
                in which eps counts: half the width of the value range.
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

    def run(
        self,
        steps: tuple[Callable, Callable],
        degraded: np.ndarray,
        extents: np.ndarray | None,
        draw_noise: Callable[[], np.ndarray],
        progress: Progress,
        keep_states: bool,
    ) -> list[np.ndarray]:
        """Walk a batch of whole images.

        Args:
            steps: Pair of functions, of `engine.moves`, compiled or not.
            degraded: float32 array `(batch, height, width, channels)`.
            extents: int32 array `(batch, 2)`, the heights and widths of images
                that fill their arrays in part; `None` where all fill them.
            draw_noise: Function without arguments that returns standard normal
                noise of that shape, new at each call. Each draw but the first is made
                while the network works, so that an accelerator need not wait for it.
            progress: `Progress`, advanced once a step.
            keep_states: Bool, whether to return every state.

        Returns:
            List of float32 NumPy arrays: all states from x_1 to x_0, or x_0.
        """
        known = ops.convert_to_tensor(degraded)
        further = () if extents is None else (ops.convert_to_tensor(extents),)
        draws = made_ahead(itertools.repeat(draw_noise, self.num_draws))
        with contextlib.closing(draws) as noise:
            images, memory = self.start(known, noise)
            states = [images]
            for move, scalars, scale in self.planned(steps):
                images, memory = move(images, *scalars, memory, known, *further)
                images = with_noise(images, scale, noise)
                # Two steps at most are under way: progress is that of the device, and
                # an interrupt need not wait for all steps.
                compiled.wait_for(states[-1])
                states = [*states, images] if keep_states else [images]
                progress.advance()
        return [ops.convert_to_numpy(state) for state in states]

    def start(self, degraded: Any, noise: Iterator[Any]) -> tuple[Any, Any]:
        """The state at t = 1, and what the sampler remembers there.

        Args:
            degraded: float32 tensor `(batch, height, width, channels)`.
            noise: Iterator of `num_draws` arrays or tensors of that shape.
        """
        images = degraded if self.starts_at_degraded else ops.zeros_like(degraded)
        images = with_noise(images, self.start_scale, noise)
        return images, self.sampler.initial_memory(images)

    def planned(
        self, steps: tuple[Callable, Callable]
    ) -> Iterator[tuple[Callable, Sequence[Any], float]]:
        """Yield each move: its function, its times as tensors, and its noise's scale.

        Args:
            steps: Pair of functions, as for `run`.
        """
        step, last_step = steps
        for time, next_time, scale in self.moves:
            move = last_step if next_time == 0 else step
            yield move, as_scalars(time, next_time, self.time_shift), scale

    def to_values(self, states: Any) -> Any:
        """An array or tensor of states in the units of the images."""
        return states if self._to_values is None else self._to_values(states)


def as_scalars(*values: float) -> Sequence[Any]:
    """Numbers as float32 tensors, so that no other number needs a compilation."""
    return [ops.convert_to_tensor(value, "float32") for value in values]


def with_noise(images: Any, scale: float, noise: Iterator[Any]) -> Any:
    """Images with the next draw of noise, times a scale."""
    if scale == 0:
        return images
    return process.perturb(images, next(noise), scale)
