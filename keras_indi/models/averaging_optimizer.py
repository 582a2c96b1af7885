"""Weight averages that are usable from the first epoch."""

import functools
from collections.abc import Iterator, Sequence
from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Config
from keras_indi.backend import keras_private


class AveragingOptimizer(keras.optimizers.Optimizer):
    """Mixin for optimizers that warms up their weight average.

    See `AveragedAdam` for details. With gradient accumulation, only updates are
    counted, not the steps in between.
    """

    # The updates that were made when the present fit began, and its callbacks.
    _updates_before = 0
    _callbacks: tuple[keras.callbacks.Callback, ...] = ()

    @property
    def ema_momentum(self) -> float:
        """Scalar tensor, the momentum at the current step."""
        updates = ops.cast(self.iterations, "float32")
        momentum = ops.minimum(self._final_momentum, (1.0 + updates) / (10.0 + updates))
        every = self.gradient_accumulation_steps
        if every:
            updates_now = (keras_private.steps_of(self) + 1) % every == 0
            momentum = ops.where(updates_now, momentum, 1.0)
        return momentum

    @ema_momentum.setter
    def ema_momentum(self, value: float) -> None:
        self._final_momentum = float(value)

    def begin_fit(self, callbacks: Sequence[keras.callbacks.Callback]) -> None:
        """Start a fit. A fit without updates changes no weights.

        Args:
            callbacks: List of the fit's callbacks, which may swap the averages into
                the model.
        """
        self._updates_before = self._updates()
        self._callbacks = tuple(callbacks)

    def finalize_variable_values(self, var_list: list[keras.Variable]) -> None:
        if self._updates() == self._updates_before:
            # Before the first update an average is all zeros. One from an earlier fit
            # may be older than weights loaded since.
            return
        keras_private.keep_swapped_averages(self._callbacks)
        super().finalize_variable_values(var_list)
        # Keras gives a weight and its average the same array, which on JAX the next
        # step would donate away from under both.
        for variable in var_list:
            variable.assign(ops.copy(variable))

    def _updates(self):
        return int(ops.convert_to_numpy(self.iterations))

    def get_config(self) -> Config:
        return {**super().get_config(), "ema_momentum": self._final_momentum}


def averaging_optimizers(optimizer: Any) -> Iterator[AveragingOptimizer]:
    """Return all optimizers with an average in a model's optimizer."""
    for part in _parts(optimizer):
        if isinstance(part, AveragingOptimizer) and part.use_ema:
            yield part


def warm_up_averages(optimizer: keras.optimizers.Optimizer) -> None:
    """Add the warm-up to the average of an optimizer with `use_ema=True`.

    Args:
        optimizer: Keras optimizer, or a wrapper of others. Its class changes, but it is
            saved under its original class.
    """
    for part in _parts(optimizer):
        if part.use_ema and not isinstance(part, AveragingOptimizer):
            momentum = part.__dict__.pop("ema_momentum")
            object.__setattr__(part, "__class__", _mixed(part.__class__))
            part.ema_momentum = momentum


def _parts(optimizer):
    inner = getattr(optimizer, "inner_optimizer", None)  # of a LossScaleOptimizer
    if inner is not None:
        return _parts(inner)
    return getattr(optimizer, "optimizers", [optimizer])  # of a MultiOptimizer


@functools.cache
def _mixed(cls):
    """Return the class with the warm-up; files keep the original class name."""
    public = getattr(keras.optimizers, cls.__name__, None)
    is_public = isinstance(public, type) and issubclass(cls, public)
    own = is_public and cls.__module__.startswith("keras.")
    names = {"__module__": "keras.optimizers" if own else cls.__module__}
    mixed = type(cls.__name__, (AveragingOptimizer, cls), names)
    package, _, name = keras.saving.get_registered_name(cls).rpartition(">")
    if package:
        for registered in (mixed, cls):  # the last is what a name in a file finds
            keras.saving.register_keras_serializable(package, name)(registered)
    return mixed
