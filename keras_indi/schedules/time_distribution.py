"""Distributions p(t) of training times."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Tensor
from keras_indi.configurable import Configurable, resolve
from keras_indi.registry import Registry
from keras_indi.validation import checked_bool, checked_number


class TimeDistribution(Configurable):
    """Base class of p(t), the distribution of training times on [0, 1].

    A subclass defines the quantile function. Draws, stratified draws and the evaluation
    grid follow from it.

    Args:
        stratified: Bool, whether `sample` spreads its draws evenly. The unit interval
            is divided into as many strata as there are draws, with one draw in each, in
            random order. Each single draw has exactly the distribution p(t), while the
            batch covers [0, 1].

    Example:

    >>> times = keras_indi.schedules.UniformTime(stratified=True)
    >>> isinstance(times, keras_indi.schedules.TimeDistribution)
    True
    """

    def __init__(self, stratified: bool = False) -> None:
        self.stratified = checked_bool("stratified", stratified)

    def quantile(self, probabilities: Tensor) -> Tensor:
        """The inverse of the distribution function.

        Args:
            probabilities: Float tensor with values in [0, 1].

        Returns:
            Tensor of the same shape: times in [0, 1].
        """
        raise NotImplementedError

    def density(self, times: Tensor) -> Tensor:
        """The density p(t), without point masses (see the subclass).

        Args:
            times: Float tensor with values in [0, 1].

        Returns:
            Tensor of the same shape.
        """
        raise NotImplementedError

    @property
    def mean(self) -> float:
        """The expected time, a float."""
        raise NotImplementedError

    def sample(
        self, shape: tuple[int, ...], seed: int | keras.random.SeedGenerator
    ) -> Tensor:
        """Draw times.

        Args:
            shape: Tuple of ints, usually `(batch,)`.
            seed: A `keras.random.SeedGenerator` or an int.

        Returns:
            float32 tensor of shape `shape` with values in [0, 1].
        """
        if not self.stratified:
            uniform = keras.random.uniform(shape, dtype="float32", seed=seed)
            return self.quantile(uniform)
        # One call: two with the same int would draw the same numbers twice.
        draws = keras.random.uniform((2, *shape), dtype="float32", seed=seed)
        # The rank of one set of draws is a random order of the strata, independent of
        # the position inside the stratum.
        order = ops.reshape(draws[1], (-1,))
        rank = ops.cast(ops.argsort(ops.argsort(order)), "float32")
        count = ops.cast(ops.size(order), "float32")
        return self.quantile((ops.reshape(rank, shape) + draws[0]) / count)

    def validate(self) -> None:
        """Raise a ValueError unless the quantiles are times from 0 to 1."""
        probabilities = np.linspace(0, 1, 257, dtype="float32")
        times = self.quantile(ops.convert_to_tensor(probabilities))
        times = ops.convert_to_numpy(times)
        if times.shape != probabilities.shape:
            problem = f"257 probabilities have quantiles of shape {times.shape}"
        elif not np.all((times >= 0) & (times <= 1)):
            problem = f"quantiles lie from {times.min():.4g} to {times.max():.4g}"
        else:
            return
        raise ValueError(
            "`quantile` of a time distribution must return a time in [0, 1] for each "
            f"probability. Received: time_distribution={self!r}, where {problem}"
        )

    def grid(self, size: Tensor, first: Tensor = 0) -> Tensor:
        """Return fixed times that represent p(t), from an endless sequence.

        They are the quantiles at `(17711 k + 14328.5) / 28657 mod 1` for `k = first,
        first + 1` and so on. The ratio of the two Fibonacci numbers approximates the
        golden ratio, so any part of the sequence covers [0, 1] evenly.

        Args:
            size: Int or scalar int tensor, number of times.
            first: Int or scalar int tensor, index of the first time.

        Returns:
            float32 tensor of shape `(size,)`.
        """
        period = 28657
        numbers = (first + ops.arange(size, dtype="int32")) % period
        steps = (17711 * numbers + period // 2) % period
        return self.quantile((ops.cast(steps, "float32") + 0.5) / period)


@keras.saving.register_keras_serializable(package="keras_indi")
class UniformTime(TimeDistribution):
    """p(t) = 1 on [0, 1]; mean 1/2.

    The simplest choice, not the best in the paper's ablation: there a bias towards
    t = 1 did better (`LinearMixtureTime`).

    Args:
        stratified: See `TimeDistribution`.

    Example:

    >>> tuple(keras_indi.schedules.UniformTime().sample((16,), seed=0).shape)
    (16,)
    """

    def quantile(self, probabilities: Tensor) -> Tensor:
        return ops.cast(probabilities, "float32")

    def density(self, times: Tensor) -> Tensor:
        return ops.ones_like(ops.cast(times, "float32"))

    @property
    def mean(self) -> float:
        return 0.5


@keras.saving.register_keras_serializable(package="keras_indi")
class LinearMixtureTime(TimeDistribution):
    """A mixture of a uniform with a point mass at t = 1, of the paper's ablation.

    `p(t) = (U[0, 1] + a delta(t = 1)) / (1 + a)`. Its density is `1 / (1 + a)`
    on [0, 1), the rest, `a / (1 + a)`, is the mass at 1; its mean is
    `(1/2 + a) / (1 + a)`. The paper compares values of a in the figure of its ablation
    on p(t); a bias towards t = 1 did best there.

    Args:
        a: Float >= 0, weight of the point mass; 0 is `UniformTime`.
        stratified: See `TimeDistribution`.

    Example:

    >>> times = keras_indi.schedules.LinearMixtureTime(2.0)
    >>> round(times.mean, 7)  # two thirds of the draws are 1
    0.8333333
    """

    def __init__(self, a: float = 1.0, stratified: bool = False) -> None:
        super().__init__(stratified)
        self.a = checked_number("a", a, least=0)

    def quantile(self, probabilities: Tensor) -> Tensor:
        return ops.minimum(ops.cast(probabilities, "float32") * (1.0 + self.a), 1.0)

    def density(self, times: Tensor) -> Tensor:
        return ops.full_like(ops.cast(times, "float32"), 1.0 / (1.0 + self.a))

    @property
    def mean(self) -> float:
        return (0.5 + self.a) / (1.0 + self.a)


@keras.saving.register_keras_serializable(package="keras_indi")
class PowerTime(TimeDistribution):
    """p(t) = (k + 1) t^k on [0, 1]; mean (k + 1) / (k + 2).

    Args:
        k: Float > -1. Positive leans towards t = 1 (degraded), negative
            towards t = 0 (clean), 0 is `UniformTime`.
        stratified: See `TimeDistribution`.

    Example:

    >>> round(keras_indi.schedules.PowerTime(1.0).mean, 7)
    0.6666667
    """

    def __init__(self, k: float = 1.0, stratified: bool = False) -> None:
        super().__init__(stratified)
        self.k = checked_number("k", k, above=-1)

    def quantile(self, probabilities: Tensor) -> Tensor:
        return ops.power(ops.cast(probabilities, "float32"), 1.0 / (self.k + 1.0))

    def density(self, times: Tensor) -> Tensor:
        return (self.k + 1.0) * ops.power(ops.cast(times, "float32"), self.k)

    @property
    def mean(self) -> float:
        return (self.k + 1.0) / (self.k + 2.0)


# Each entry registers a class by name, and exports it.
BUILTIN = Registry(
    "keras_indi.schedules",
    {
        "uniform": "time_distribution:UniformTime",
        "linear_mixture": "time_distribution:LinearMixtureTime",
        "power": "time_distribution:PowerTime",
    },
)


def get(identifier: Any) -> TimeDistribution:
    """Return a valid `TimeDistribution` from an object, a name or a config."""
    found = resolve(identifier, TimeDistribution, BUILTIN, "time_distribution")
    found.validate()
    return found
