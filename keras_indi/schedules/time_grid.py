"""Time grids: the falling times 1 = t_N > ... > t_0 = 0 of a restoration."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np

from keras_indi.configurable import Configurable, resolve
from keras_indi.registry import Registry
from keras_indi.validation import checked_integer, checked_number, checked_numbers

# More do not differ in float32, the precision of restoration times.
MAX_STEPS = 10**6
# The smallest time above 0. Samplers divide by it, and their quotients overflow next to
# the smallest numbers of float32.
SMALLEST = 1e-30


class TimeGrid(Configurable):
    """Base class of a grid of times from 1 (degraded) to 0 (clean).

    Example:

    >>> class SquareRootGrid(keras_indi.schedules.TimeGrid):
    ...     def times(self, num_steps):
    ...         return np.sqrt(np.linspace(1, 0, num_steps + 1))
    >>> restored = model.restore(image, num_steps=4, time_grid=SquareRootGrid())
    """

    def times(self, num_steps: int) -> np.ndarray:
        """Return the times of the grid.

        Args:
            num_steps: Int >= 1.

        Returns:
            float64 NumPy array of shape `(num_steps + 1,)`, falling from 1 to 0.
        """
        raise NotImplementedError

    def __call__(self, num_steps: int) -> np.ndarray:
        """Return `times(num_steps)` after checking them.

        Raises:
            ValueError: If the times do not decrease strictly from 1 to 0, also in
                float32, or have another number of steps.
        """
        num_steps = checked_integer("num_steps", num_steps, most=MAX_STEPS)
        times = checked_numbers("times", self.times(num_steps))
        _check_falls(times)
        if len(times) != num_steps + 1:
            raise ValueError(
                f"The time grid has {len(times) - 1} steps; leave `num_steps` "
                f"out or make it equal. Received: num_steps={num_steps}, "
                f"time_grid={self!r}"
            )
        if np.any(np.diff(times.astype("float32")) >= 0) or times[-2] < SMALLEST:
            raise ValueError(
                f"At {num_steps} steps the times of {self!r} are too close together "
                "for float32. Use fewer steps, or a grid of more even steps. Received: "
                f"num_steps={num_steps}, time_grid={self!r}"
            )
        return times


@keras.saving.register_keras_serializable(package="keras_indi")
class UniformGrid(TimeGrid):
    """Equal steps, t_i = i / N: the grid of the paper.

    Example:

    >>> keras_indi.schedules.UniformGrid()(4).tolist()
    [1.0, 0.75, 0.5, 0.25, 0.0]
    """

    def times(self, num_steps: int) -> np.ndarray:
        return _fractions(num_steps)


@keras.saving.register_keras_serializable(package="keras_indi")
class PowerGrid(TimeGrid):
    """t = u^k at uniform u: for k > 1 small steps near t = 0, for k < 1 near 1.

    Args:
        k: Float > 0.

    Example:

    >>> keras_indi.schedules.PowerGrid(2)(4).tolist()
    [1.0, 0.5625, 0.25, 0.0625, 0.0]
    """

    def __init__(self, k: float = 2.0) -> None:
        self.k = checked_number("k", k, above=0)

    def times(self, num_steps: int) -> np.ndarray:
        return _fractions(num_steps) ** self.k


@keras.saving.register_keras_serializable(package="keras_indi")
class CosineGrid(TimeGrid):
    """t = (1 - cos(pi u)) / 2 at uniform u: small steps near both ends.

    Example:

    >>> keras_indi.schedules.CosineGrid()(2).round(4).tolist()
    [1.0, 0.5, 0.0]
    """

    def times(self, num_steps: int) -> np.ndarray:
        times = (1.0 - np.cos(np.pi * _fractions(num_steps))) / 2.0
        times[0], times[-1] = 1.0, 0.0
        return times


@keras.saving.register_keras_serializable(package="keras_indi")
class ExplicitGrid(TimeGrid):
    """A grid of given times.

    Args:
        points: List of floats that falls strictly from 1 to 0. Its length
            fixes the number of steps.

    Example:

    >>> grid = keras_indi.schedules.ExplicitGrid([1.0, 0.3, 0.0])
    >>> grid.num_steps
    2
    >>> restored = model.restore(image, time_grid=grid)
    """

    def __init__(self, points: Sequence[float] | np.ndarray) -> None:
        points = checked_numbers("points", points)
        _check_falls(points)
        self.points = points.tolist()

    @property
    def num_steps(self) -> int:
        """The number of steps of the grid."""
        return len(self.points) - 1

    def times(self, num_steps: int) -> np.ndarray:
        return np.asarray(self.points)


def _fractions(num_steps):
    return np.linspace(1.0, 0.0, num_steps + 1)


def _check_falls(times):
    falls = (
        times.ndim == 1
        and len(times) >= 2
        and times[0] == 1.0
        and times[-1] == 0.0
        and np.all(np.diff(times) < 0)
    )
    if not falls:
        raise ValueError(
            "A time grid must decrease strictly from 1 to 0, such as "
            f"[1.0, 0.5, 0.0]. Received: time_grid={times.tolist()}"
        )


# Each entry registers a class by name, and exports it.
BUILTIN = Registry(
    "keras_indi.schedules",
    {
        "uniform": "time_grid:UniformGrid",
        "power": "time_grid:PowerGrid",
        "cosine": "time_grid:CosineGrid",
    },
)


def get(identifier: Any) -> TimeGrid:
    """Return a `TimeGrid` from an object, a name, a config or a list of times."""
    if isinstance(identifier, (list, tuple, np.ndarray)):
        return ExplicitGrid(identifier)
    return resolve(identifier, TimeGrid, BUILTIN, "time_grid")
