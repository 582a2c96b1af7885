"""Noise schedules a(t) of denoising diffusion."""

import functools
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import diffusion_process
from keras_indi.annotations import Tensor
from keras_indi.configurable import Configurable, resolve
from keras_indi.registry import Registry
from keras_indi.validation import checked_integer, checked_number


class DiffusionSchedule(Configurable):
    """Base class of a(t), the weight of the clean image on a diffusion's path.

    At t in [0, 1] the state is `a(t) x + sqrt(1 - a(t)^2) n` with n standard
    normal; a(t)^2 is called alpha bar. It must fall from 1 at t = 0, and stay above
    0. For a schedule of your own, override `signal_scale`.

    Example:

    >>> schedule = keras_indi.schedules.CosineDiffusion()
    >>> isinstance(schedule, keras_indi.schedules.DiffusionSchedule)
    True
    """

    # Unlike a path of InDI without noise, no two draws are the same.
    is_zero = False

    def signal_scale(self, times: Tensor) -> Tensor:
        """a(t).

        Args:
            times: Float tensor with values in [0, 1].

        Returns:
            float32 tensor of the same shape, with values in (0, 1].
        """
        raise NotImplementedError

    def noise_level(self, times: Tensor) -> Tensor:
        """Return the noise level of the state at t, as in `diffusion_process`.

        Args:
            times: Float tensor with values in [0, 1].

        Returns:
            float32 tensor of the same shape, with values in [0, 1), the input `"times"`
            of a network.
        """
        return diffusion_process.noise_level(self.signal_scale(times))

    def validate(self) -> None:
        """Raise a ValueError unless a(t) falls from 1 and stays above 0."""
        times = ops.convert_to_tensor(np.linspace(0, 1, 257, dtype="float32"))
        found = ops.convert_to_numpy(self.signal_scale(times))
        problem = None
        if not np.all(np.isfinite(found)):
            problem = "a(t) is not finite on [0, 1]"
        elif abs(found[0] - 1.0) > 1e-6:
            problem = f"a(0) is {found[0]:.4g}"
        elif np.any(np.diff(found) > 0) or found[-1] >= 1:
            problem = "a(t) does not fall"
        elif found[-1] < 1e-6:
            problem = f"a(1) is {found[-1]:.4g}, from which no image can be estimated"
        if problem:
            raise ValueError(
                "A diffusion schedule must fall from 1 at t = 0 to a small number "
                f"above 0. Received: noise_schedule={self!r}, where {problem}"
            )


class _DiscreteSchedule(DiffusionSchedule):
    """A schedule of T steps, with linear interpolation of a between them.

    With uniform t, the step is uniform, and a is uniform between its neighbours, as in
    the training of SR3 (Saharia et al., section 2.4).
    """

    def __init__(self, num_steps: int) -> None:
        self.num_steps = checked_integer("num_steps", num_steps)

    def betas(self) -> np.ndarray:
        """The share of variance that each step replaces, float64 `(num_steps,)`."""
        raise NotImplementedError

    @functools.cached_property
    def _signal_scales(self):
        kept = np.cumprod(1.0 - self.betas())
        return np.sqrt([1.0, *kept]).astype("float32")

    def signal_scale(self, times: Tensor) -> Tensor:
        position = ops.cast(times, "float32") * self.num_steps
        step = ops.clip(ops.floor(position), 0, self.num_steps - 1)
        index = ops.cast(step, "int32")
        table = ops.convert_to_tensor(self._signal_scales)
        before, after = ops.take(table, index), ops.take(table, index + 1)
        return before + (position - step) * (after - before)


@keras.saving.register_keras_serializable(package="keras_indi")
class LinearDiffusion(_DiscreteSchedule):
    """beta grows in equal steps (Ho et al. 2020, section 4).

    Args:
        first_beta: Float in (0, 1). Defaults to 1e-4.
        last_beta: Float in (0, 1). Defaults to 0.02.
        num_steps: Int, T. Defaults to 1000.

    Example:

    >>> schedule = keras_indi.schedules.LinearDiffusion()
    >>> float(schedule.signal_scale(0.0))
    1.0
    """

    def __init__(
        self, first_beta: float = 1e-4, last_beta: float = 0.02, num_steps: int = 1000
    ) -> None:
        super().__init__(num_steps)
        self.first_beta = checked_number("first_beta", first_beta, above=0, below=1)
        self.last_beta = checked_number("last_beta", last_beta, above=0, below=1)

    def betas(self) -> np.ndarray:
        return np.linspace(self.first_beta, self.last_beta, self.num_steps)


@keras.saving.register_keras_serializable(package="keras_indi")
class CosineDiffusion(_DiscreteSchedule):
    """a(t) falls like a cosine (Nichol & Dhariwal 2021, eq. 17).

    `a(t) = cos(u(t)) / cos(u(0))` with `u(t) = (t + offset) / (1 + offset) pi / 2`;
    no step replaces more than 0.999 of the variance.

    Args:
        offset: Float >= 0. Defaults to 0.008.
        num_steps: Int, T. Defaults to 1000.

    Example:

    >>> schedule = keras_indi.schedules.CosineDiffusion()
    >>> float(schedule.signal_scale(0.0))
    1.0

    Reference:
        Nichol & Dhariwal, "Improved Denoising Diffusion Probabilistic Models",
        arXiv 2102.09672.
    """

    def __init__(self, offset: float = 0.008, num_steps: int = 1000) -> None:
        super().__init__(num_steps)
        self.offset = checked_number("offset", offset, least=0)

    def betas(self) -> np.ndarray:
        times = np.linspace(0, 1, self.num_steps + 1)
        scale = np.cos((times + self.offset) / (1 + self.offset) * np.pi / 2)
        return np.minimum(1 - (scale[1:] / scale[:-1]) ** 2, 0.999)


@keras.saving.register_keras_serializable(package="keras_indi")
class ContinuousDiffusion(DiffusionSchedule):
    """beta grows linearly with a continuous t: the limit of `LinearDiffusion`.

    `a(t)^2 = exp(-(first t + (last - first) t^2 / 2))`, the variance preserving
    equation of Song et al. 2021 ("Score-Based Generative Modeling through Stochastic
    Differential Equations", arXiv 2011.13456, eq. 33), whose rates are T times the
    betas.

    Args:
        first_rate: Float > 0. Defaults to 0.1.
        last_rate: Float > 0. Defaults to 20.

    Example:

    >>> schedule = keras_indi.schedules.ContinuousDiffusion()
    >>> float(schedule.signal_scale(0.0))
    1.0
    """

    def __init__(self, first_rate: float = 0.1, last_rate: float = 20.0) -> None:
        self.first_rate = checked_number("first_rate", first_rate, above=0)
        self.last_rate = checked_number("last_rate", last_rate, above=0)

    def signal_scale(self, times: Tensor) -> Tensor:
        times = ops.cast(times, "float32")
        mean_rate = self.first_rate + 0.5 * (self.last_rate - self.first_rate) * times
        return ops.exp(-0.5 * mean_rate * times)


# Each entry registers a class by name, and exports it.
BUILTIN = Registry(
    "keras_indi.schedules",
    {
        "linear": "diffusion_schedule:LinearDiffusion",
        "cosine": "diffusion_schedule:CosineDiffusion",
        "continuous": "diffusion_schedule:ContinuousDiffusion",
    },
)


def get(identifier: Any) -> DiffusionSchedule:
    """Return a valid `DiffusionSchedule` from an object, a name or a config."""
    schedule = resolve(identifier, DiffusionSchedule, BUILTIN, "noise_schedule")
    schedule.validate()
    return schedule
