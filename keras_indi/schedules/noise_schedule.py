"""Noise schedules eps_t of the perturbed path."""

from numbers import Real
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Config, Tensor
from keras_indi.configurable import Configurable, resolve
from keras_indi.registry import Registry
from keras_indi.validation import checked_number

TIMES = np.linspace(1e-3, 1.0, 1000, dtype="float32")  # at which eps_t is checked
NEARLY_ZERO = 1e-30  # a time at which the noise of a path is almost zero


class NoiseSchedule(Configurable):
    """Base class of eps_t, the noise of the perturbed path.

    The state is `x_t = (1 - t) x + t y + t eps_t n` with n standard normal, so
    the noise at t has variance `v(t) = t^2 eps_t^2` (paper, section on noise
    perturbation). eps_t must be non-negative and must not increase with t, and
    the noise t eps_t must vanish at t = 0, so that the path ends at x.

    The unit of eps_t is that of the paper, for images in [-1, 1], as the network sees
    them. With `value_range=(0, 255)`, 0.01 is noise with a standard deviation of 1.275
    grey levels at t = 1: eps_t times half the width of the range. Without a value
    range, it is in the units of the data.

    For a schedule of your own, override `level`:

    ```python
    @keras.saving.register_keras_serializable(package="mine")
    class LinearNoise(keras_indi.schedules.NoiseSchedule):
        def __init__(self, eps=0.1):
            self.eps = eps

        def level(self, times):
            return self.eps * (1.0 - 0.5 * times)
    ```
    """

    def level(self, times: Tensor) -> Tensor:
        """eps_t.

        Args:
            times: Float tensor with values in (0, 1].

        Returns:
            Tensor of the same shape, for images in [-1, 1].
        """
        raise NotImplementedError

    def variance(self, times: Tensor) -> Tensor:
        """v(t) = t^2 eps_t^2, zero at t = 0.

        Args:
            times: Float tensor with values in [0, 1].

        Returns:
            float32 tensor of the same shape, for images in [-1, 1].
        """
        times = ops.cast(times, "float32")
        positive = times > 0
        scale = times * self.level(ops.where(positive, times, 1.0))
        return ops.where(positive, scale * scale, 0.0)

    def scale(self, times: Tensor) -> Tensor:
        """sqrt(v(t)) = t eps_t, the noise's standard deviation at `times`.

        Args:
            times: Float tensor with values in [0, 1].

        Returns:
            float32 tensor of the same shape, for images in [-1, 1].
        """
        return ops.sqrt(self.variance(times))

    @property
    def is_constant(self) -> bool:
        """Return whether eps_t is the same at all t, so that no step adds noise."""
        levels = self._levels()
        return bool(np.ptp(levels) <= 1e-6 * levels.max())

    @property
    def is_zero(self) -> bool:
        """Return whether the path has no noise."""
        return not self._levels().any()

    def validate(self) -> None:
        """Raise a ValueError unless eps_t is valid.

        It must be non-negative and non-increasing, and the noise t eps_t must vanish at
        t = 0. For `eps / t`, the noise is eps at every t > 0, so the path would not end
        at x.
        """
        levels = self._levels()
        problem = None
        if not np.all(np.isfinite(levels)):
            problem = "eps_t is not finite on (0, 1]"
        elif levels.min() < 0:
            problem = f"eps_t falls to {levels.min():.4g}"
        elif np.any(np.diff(levels) > 1e-6 * np.abs(levels).max()):
            problem = f"eps_t rises from {levels.min():.4g} to {levels.max():.4g}"
        else:
            rest = float(ops.convert_to_numpy(self.scale(NEARLY_ZERO)))
            most = float(ops.convert_to_numpy(self.scale(TIMES)).max())
            # (Not a number, where eps_t is infinite.)
            if not np.isfinite(most):
                problem = "t eps_t is too large for float32"
            elif not rest <= 0.1 * most:
                problem = f"t eps_t is {rest:.4g} next to t = 0, of {most:.4g} at most"
        if problem:
            raise ValueError(
                "A noise schedule must be non-negative and must not increase "
                "with t, and its noise t eps_t must vanish at t = 0 (that of eps / t "
                f"does not). Received: noise_schedule={self!r}, where {problem}"
            )

    def _levels(self):
        levels = self.level(ops.convert_to_tensor(TIMES))
        return ops.convert_to_numpy(ops.broadcast_to(levels, TIMES.shape))


@keras.saving.register_keras_serializable(package="keras_indi")
class ConstantNoise(NoiseSchedule):
    """eps_t = eps: noise is added only at the start, `v(t) = t^2 eps^2`.

    Args:
        eps: Float >= 0, for images in [-1, 1]: the paper's 0.01 is 1.275 grey
            levels of 255. 0 is no noise.

    Example:

    >>> schedule = keras_indi.schedules.ConstantNoise(0.01)
    >>> round(float(schedule.level(0.25)), 7)  # eps_t
    0.01
    >>> round(float(schedule.variance(0.5)) ** 0.5, 7)  # t eps_t
    0.005
    """

    def __init__(self, eps: float = 0.0) -> None:
        self.eps = checked_number("eps", eps, least=0)

    def level(self, times: Tensor) -> Tensor:
        return ops.full_like(ops.cast(times, "float32"), self.eps)


@keras.saving.register_keras_serializable(package="keras_indi")
class BrownianNoise(NoiseSchedule):
    """eps_t = eps / sqrt(t): noise grows like a random walk, `v(t) = t eps^2`.

    Args:
        eps: Float >= 0, the level at t = 1, for images in [-1, 1]: 0.01 is 1.275
            grey levels of 255.

    Example:

    >>> schedule = keras_indi.schedules.BrownianNoise(0.01)
    >>> round(float(schedule.level(0.25)), 7)  # eps / sqrt(t)
    0.02
    """

    def __init__(self, eps: float = 0.01) -> None:
        self.eps = checked_number("eps", eps, least=0)

    def level(self, times: Tensor) -> Tensor:
        return self.eps / ops.sqrt(ops.cast(times, "float32"))

    def variance(self, times: Tensor) -> Tensor:
        return self.eps**2 * ops.cast(times, "float32")


@keras.saving.register_keras_serializable(package="keras_indi")
class ScaledNoise(NoiseSchedule):
    """Another schedule's eps_t times a factor.

    Args:
        schedule: A `NoiseSchedule`, its name or config, or a number for a constant
            one.
        factor: Float >= 0.

    Example: half the noise of a schedule.

    >>> noise = keras_indi.schedules.BrownianNoise(0.5)
    >>> float(keras_indi.schedules.ScaledNoise(noise, 0.5).scale(1.0))
    0.25
    """

    def __init__(self, schedule: Any, factor: float) -> None:
        self.schedule = get(schedule)
        self.factor = checked_number("factor", factor, least=0)

    def level(self, times: Tensor) -> Tensor:
        return self.factor * self.schedule.level(times)

    def variance(self, times: Tensor) -> Tensor:
        return self.factor**2 * self.schedule.variance(times)

    def get_config(self) -> Config:
        schedule = keras.saving.serialize_keras_object(self.schedule)
        return {"schedule": schedule, "factor": self.factor}


# Each entry registers a class by name, and exports it.
BUILTIN = Registry(
    "keras_indi.schedules",
    {
        "constant": "noise_schedule:ConstantNoise",
        "brownian": "noise_schedule:BrownianNoise",
    },
)


# The unit of eps, saved with a schedule. Version 0.1 saved none: eps was a fraction of
# the value range.
UNIT = "paper"


def from_value_range(identifier: Any) -> NoiseSchedule:
    """Convert a schedule whose eps is a fraction of the value range.

    Args:
        identifier: As for `get`.

    Returns:
        `NoiseSchedule` of the same noise, with twice the eps: for the network, the
        value range has a width of 2.
    """
    schedule = get(identifier)
    if type(schedule) is ConstantNoise:
        return ConstantNoise(2.0 * schedule.eps)
    if type(schedule) is BrownianNoise:
        return BrownianNoise(2.0 * schedule.eps)
    return ScaledNoise(schedule, 2.0)


def get(identifier: Any) -> NoiseSchedule:
    """Return a valid `NoiseSchedule` from a number, object, name or config."""
    if isinstance(identifier, Real) and not isinstance(identifier, bool):
        identifier = ConstantNoise(float(identifier))
    schedule = resolve(identifier, NoiseSchedule, BUILTIN, "noise_schedule")
    schedule.validate()
    return schedule
