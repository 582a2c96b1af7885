"""What Keras keeps private and we must touch: each with a test of its own."""

import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_indi.backend.interrupts import deferred_interrupts


def forget_layer(model: Any, layer: Any) -> None:
    """Let another layer take a layer's place as an attribute of a model.

    Keras tracks what is set as an attribute, locks that once the model is built, and
    forgets nothing.

    Args:
        model: `keras.Model`.
        layer: A layer that is an attribute of it.
    """
    model._tracker.unlock()
    model._tracker.untrack(layer)


def steps_of(optimizer: Any) -> Any:
    """The steps that an optimizer has made, under gradient accumulation all of them.

    `iterations` counts those alone that have changed weights.

    Args:
        optimizer: `keras.optimizers.Optimizer`.

    Returns:
        Int `keras.Variable`.
    """
    return optimizer._iterations


def begin_at_epoch(model: Any, epoch: int | None) -> None:
    """Let the fit that begins go on at a later epoch; `None` at its own.

    The one way for a callback to do so; Keras's own `BackupAndRestore` takes it too.
    """
    model._initial_epoch = epoch


def averages_are_swapped_in(callbacks: Iterable[keras.callbacks.Callback]) -> bool:
    """Whether a `SwapEMAWeights` among callbacks has the averages in the model now."""
    return any(
        isinstance(callback, keras.callbacks.SwapEMAWeights)
        and callback._ema_weights_in_model
        for callback in callbacks
    )


def keep_swapped_averages(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Let averages of the weights that are swapped into a model stay there.

    Args:
        callbacks: Callbacks of a fit. Those that are a `SwapEMAWeights`, and have the
            averages in the model and its weights in their place, forget the weights.
    """
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            if callback._ema_weights_in_model:
                callback._finalize_ema_values()
                callback._ema_weights_in_model = False


def make_interruptible(model: Any, name: str) -> None:
    """Change a model's step so that an interrupt or an error leaves the model whole.

    On JAX, `fit`, `evaluate` and `predict` take the values out of the model's
    variables, and a step gives their memory away before its results are at hand. What
    comes in between would leave a model without weights.

    Args:
        model: `keras.Model` that has made the step.
        name: `"train"`, `"test"` or `"predict"`.
    """
    if keras.config.backend() != "jax":
        return
    function = getattr(model, f"{name}_function")
    kinds = {
        "train": ["trainable", "non_trainable", "optimizer", "metrics"],
        "test": ["trainable", "non_trainable", "metrics"],
        "predict": ["trainable", "non_trainable"],
    }[name]
    keys = [f"{kind}_variables" for kind in kinds]

    def step(state, iterator):
        model._jax_state = dict(zip(keys, state))
        batches = itertools.chain([next(iterator)], iterator)
        with deferred_interrupts():
            logs, state = function(state, batches)
            model._jax_state = dict(zip(keys, state))
        return logs, state

    setattr(model, f"{name}_function", step)


def reattach_variables(model: Any) -> None:
    """Give a model its variables' values back, as Keras on JAX does in `fit` alone.

    Args:
        model: `keras.Model` whose steps are interruptible.
    """
    if keras.config.backend() == "jax":
        model.jax_state_sync()


def mask_of(tensor: Any) -> Any:
    """The mask that layers have given a tensor, or `None`."""
    return getattr(tensor, "_keras_mask", None)


def is_built(model: Any) -> bool:
    """Bool: whether a compiled model, its losses and its metrics are built."""
    parts = [*model._flatten_layers(), model._compile_loss, model._compile_metrics]
    return all(part is None or part.built for part in parts)


def pairs_seen(model: Any) -> keras.Variable:
    """The number of examples of the present epoch or evaluation in earlier batches.

    Args:
        model: Compiled `keras.Model`, whose tracker of the loss counts them.
    """
    return model._loss_tracker.count


def stand_in(iterator: Any, data: Any) -> Any:
    """A batch of one, of ones, in the shapes of the batch that builds a model.

    Args:
        iterator: What Keras hands to `_symbolic_build`, or `None` beside `data`.
        data: A batch, or `None`.
    """
    if data is None:
        for _, _, batches in iterator:
            is_list = isinstance(batches, (list, tuple))
            data = batches[0] if is_list else next(batches)
            break
    return keras.tree.map_structure(
        lambda v: None if v is None else keras.ops.ones((1, *v.shape[1:]), v.dtype),
        data,
    )


def at_old_path(store: Any, renamed: Mapping[str, str]) -> Mapping[str, Any]:
    """The place in a weights file of a layer whose class was renamed since.

    Keras files the weights of a functional model's layers under their classes' names:
    those of the third layer of a class `OldName` lie in `layers/old_name_2`.

    Args:
        store: What Keras hands to a layer's `load_own_variables`: a mapping, which is
            empty where the file has nothing under the layer's path of today.
        renamed: Dict of old names of classes to those of today.

    Returns:
        The store, or that of the layer's old path.
    """
    path = getattr(store, "_h5_entry_path", None)
    if path is None or list(store.keys()):
        return store
    return store.get(_replaced(path, {new: old for old, new in renamed.items()}))


def at_new_path(path: str, renamed: Mapping[str, str]) -> str:
    """A path in a weights file as Keras would write it today; see `at_old_path`."""
    return _replaced(path, renamed)


def _replaced(path, names):
    names = {_snake_case(name): _snake_case(other) for name, other in names.items()}
    parts = []
    for part in path.split("/"):
        name, number = re.fullmatch(r"(.*?)((?:_\d+)?)", part).groups()
        parts.append(names.get(name, name) + number)
    return "/".join(parts)


def _snake_case(name):
    """A class's name as Keras writes it in paths."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
