"""Trajectory of a sampler from t = 1 to 0, and running it on whole images."""

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
    """A sampler with its time grid and noise, without the network and the images.

    Args:
        sampler: The `Sampler`.
        times: NumPy array of shape `(num_steps + 1,)`, decreasing to 0.
        start_scale: Float, the standard deviation of the noise at the start.
        noise_scales: List of `num_steps` floats, the standard deviation of the noise
            after each step.
        starts_at_degraded: Bool, whether the initial noise is added to the degraded
            image. If `False`, the start is pure noise. Defaults to `True`.
        time_shift: Float, k. The network is evaluated at `process.shift_times(t, k)`
            when the sampler requests F at t. Defaults to 1, no shift.
        to_values: Function that converts an array or tensor of states to a tensor in
            the units of the images. Defaults to `None`, no conversion.

    Attributes:
        num_steps: Int, number of steps.
        num_evaluations: Int, number of evaluations of F per image.
        num_draws: Int, number of times that noise is added to the state.
        moves: List with a triple per step: t, s, and the scale of the noise after it.
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
        """Create the trajectory of InDI, which starts at `x_1 = y + eps_1 n`.

        Args:
            sampler: The `Sampler`.
            times: NumPy array of shape `(num_steps + 1,)`, decreasing from 1 to 0.
            noise_schedule: The `NoiseSchedule`.
            noise_unit: Float, the unit of eps in image values: half the width of the
                value range, which is 1 for the network.
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
        """Restore a batch of whole images.

        Args:
            steps: Pair of functions from `engine.moves`, compiled or not.
            degraded: float32 array `(batch, height, width, channels)`.
            extents: int32 array `(batch, 2)`, heights and widths of images that are
                smaller than their arrays. `None` if all images fill them.
            draw_noise: Function without arguments that returns new standard normal
                noise of that shape. Draws after the first are made while the network
                runs, so that an accelerator does not wait for them.
            progress: `Progress`, advanced once per step.
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
                # At most two steps are queued. Progress then follows the device, and
                # an interrupt does not wait for all steps.
                compiled.wait_for(states[-1])
                states = [*states, images] if keep_states else [images]
                progress.advance()
        return [ops.convert_to_numpy(state) for state in states]

    def start(self, degraded: Any, noise: Iterator[Any]) -> tuple[Any, Any]:
        """Return the state at t = 1 and the initial memory of the sampler.

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
        """Yield each step: its function, its times as tensors, and its noise scale.

        Args:
            steps: Pair of functions, as for `run`.
        """
        step, last_step = steps
        for time, next_time, scale in self.moves:
            move = last_step if next_time == 0 else step
            yield move, as_scalars(time, next_time, self.time_shift), scale

    def to_values(self, states: Any) -> Any:
        """Convert an array or tensor of states to the units of the images."""
        return states if self._to_values is None else self._to_values(states)


def as_scalars(*values: float) -> Sequence[Any]:
    """Convert numbers to float32 tensors, so that new values need no compilation."""
    return [ops.convert_to_tensor(value, "float32") for value in values]


def with_noise(images: Any, scale: float, noise: Iterator[Any]) -> Any:
    """Add the next draw of noise to images, times a scale."""
    if scale == 0:
        return images
    return process.perturb(images, next(noise), scale)
