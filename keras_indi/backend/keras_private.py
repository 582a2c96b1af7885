"""Access to private parts of Keras. Each function has its own test."""

import io
import itertools
import re
from collections.abc import Iterable, Mapping
from typing import Any

import keras

from keras_indi.backend.interrupts import deferred_interrupts


def forget_layer(model: Any, layer: Any) -> None:
    """Untrack a layer, so that another can replace it as an attribute of a model.

    Keras tracks every layer set as an attribute, locks the list once the model is
    built, and never removes a layer.

    Args:
        model: `keras.Model`.
        layer: A layer that is an attribute of it.
    """
    model._tracker.unlock()
    model._tracker.untrack(layer)


def steps_of(optimizer: Any) -> Any:
    """Return the step count of an optimizer, including accumulation steps.

    `iterations` counts only steps that change weights.

    Args:
        optimizer: `keras.optimizers.Optimizer`.

    Returns:
        Int `keras.Variable`.
    """
    return optimizer._iterations


def variables_of(optimizer: Any) -> list[keras.Variable]:
    """Return the variables that an optimizer was built for; none before `build`.

    Args:
        optimizer: `keras.optimizers.Optimizer`.
    """
    return list(getattr(optimizer, "_trainable_variables", ()))


def begin_at_epoch(model: Any, epoch: int | None) -> None:
    """Let the starting fit begin at a later epoch, or with `None` at its own.

    This is the only way for a callback, and is what Keras's `BackupAndRestore` does.
    """
    model._initial_epoch = epoch


def averages_are_swapped_in(callbacks: Iterable[keras.callbacks.Callback]) -> bool:
    """Return whether a `SwapEMAWeights` callback has swapped in the averages."""
    return any(
        isinstance(callback, keras.callbacks.SwapEMAWeights)
        and callback._ema_weights_in_model
        for callback in callbacks
    )


def keep_swapped_averages(callbacks: Iterable[keras.callbacks.Callback]) -> None:
    """Keep averages that are swapped into a model, and discard its raw weights.

    Args:
        callbacks: Callbacks of a fit. Every `SwapEMAWeights` whose averages are in the
            model drops the weights that it would swap back.
    """
    for callback in callbacks:
        if isinstance(callback, keras.callbacks.SwapEMAWeights):
            if callback._ema_weights_in_model:
                callback._finalize_ema_values()
                callback._ema_weights_in_model = False


def make_interruptible(model: Any, name: str) -> None:
    """Change a model's step so that an interrupt or error leaves the model intact.

    On JAX, `fit`, `evaluate` and `predict` detach the values of the model's variables,
    and a step donates their memory before its results arrive. An interrupt in between
    would leave a model without weights.

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
    """Reattach the values of a model's variables, as Keras on JAX does only in `fit`.

    Args:
        model: `keras.Model` whose steps are interruptible.
    """
    if keras.config.backend() == "jax":
        model.jax_state_sync()


def mask_of(tensor: Any) -> Any:
    """Return the Keras mask of a tensor, or `None`."""
    return getattr(tensor, "_keras_mask", None)


def is_built(model: Any) -> bool:
    """Return whether a compiled model, its losses and its metrics are built."""
    parts = [*model._flatten_layers(), model._compile_loss, model._compile_metrics]
    return all(part is None or part.built for part in parts)


def pairs_seen(model: Any) -> keras.Variable:
    """Return the number of examples in earlier batches of this epoch or evaluation.

    Args:
        model: Compiled `keras.Model`, whose loss tracker counts the examples.
    """
    return model._loss_tracker.count


class FileInMemory(io.BytesIO):
    """A weights file in memory, of which a killed process leaves nothing behind.

    Keras writes into `BytesIO`, but first asks every path for its ending.
    """

    def __str__(self) -> str:
        return "memory.weights.h5"


def weights_in_memory(model: Any) -> io.BytesIO:
    """Return what `model.save_weights` would write to a file.

    Args:
        model: Built `keras.Model`.
    """
    content = FileInMemory()
    model.save_weights(content)
    return content


def stand_in(iterator: Any, data: Any) -> Any:
    """Return a batch of size one, filled with ones, shaped like the first batch.

    Args:
        iterator: The iterator that Keras passes to `_symbolic_build`; `None` with
            `data`.
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
    """Return the place in a weights file of a layer whose class has been renamed.

    Keras stores the weights of a functional model's layers under their class names: the
    third layer of a class `OldName` is at `layers/old_name_2`.

    Args:
        store: Mapping that Keras passes to a layer's `load_own_variables`. Empty if the
            file has nothing at the layer's current path.
        renamed: Dict from old to current class names.

    Returns:
        The store, or that of the layer's old path.
    """
    path = getattr(store, "_h5_entry_path", None)
    if path is None or list(store.keys()):
        return store
    return store.get(_replaced(path, {new: old for old, new in renamed.items()}))


def at_new_path(path: str, renamed: Mapping[str, str]) -> str:
    """Return the current form of a path in a weights file; see `at_old_path`."""
    return _replaced(path, renamed)


def _replaced(path, names):
    names = {_snake_case(name): _snake_case(other) for name, other in names.items()}
    parts = []
    for part in path.split("/"):
        name, number = re.fullmatch(r"(.*?)((?:_\d+)?)", part).groups()
        parts.append(names.get(name, name) + number)
    return "/".join(parts)


def _snake_case(name):
    """Return a class name in the form that Keras uses in paths."""
    name = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", name)
    return re.sub("([a-z])([A-Z])", r"\1_\2", name).lower()
