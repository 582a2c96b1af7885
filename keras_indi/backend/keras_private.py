"""What Keras keeps private and we must touch: each with a test of its own."""

import re
from collections.abc import Mapping
from typing import Any


def forget_layer(model: Any, layer: Any) -> None:
    """Lets another layer take a layer's place as an attribute of a model.

    Keras tracks what is set as an attribute, locks that once the model is built, and
    forgets nothing.

    Args:
        model: `keras.Model`.
        layer: A layer that is an attribute of it.
    """
    model._tracker.unlock()
    model._tracker.untrack(layer)


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
