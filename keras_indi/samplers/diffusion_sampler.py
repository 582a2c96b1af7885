"""Base class of samplers of denoising diffusion."""

import functools
from typing import Any

from keras import ops

from keras_indi import diffusion_process
from keras_indi.samplers.sampler import Sampler
from keras_indi.schedules.diffusion_schedule import DiffusionSchedule


class DiffusionSampler(Sampler):
    """Base class of the update rules of a `ConditionalDDPM`.

    As in any `Sampler`, `step` moves a state. `times` and `next_times` are the noise
    levels of `diffusion_process`. Images are states in units in which clean images have
    a spread of about 1. `predict` returns the estimate of the clean image. The noise
    after a step is `eta` times that of ancestral sampling.

    Example:

    >>> sampler = keras_indi.samplers.DDIMSampler()
    >>> isinstance(sampler, keras_indi.samplers.DiffusionSampler)
    True
    """

    eta = 1.0

    def noise_scale(self, noise_schedule: Any, time: float, next_time: float) -> float:
        if not isinstance(noise_schedule, DiffusionSchedule):
            raise ValueError(
                f"{type(self).__name__} starts from pure noise, and requires a "
                "`ConditionalDDPM`. Received: noise_schedule="
                f"{noise_schedule!r}"
            )
        return self.eta * _ancestral_noise_scale(time, next_time)


@functools.lru_cache(maxsize=4096)  # its small operations cost more than a step
def _ancestral_noise_scale(time, next_time):
    scale = diffusion_process.ancestral_noise_scale(time, next_time)
    return float(ops.convert_to_numpy(scale))
