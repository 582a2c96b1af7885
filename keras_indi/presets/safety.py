"""Safety check of preset configs: only classes that run no code of the preset."""

import functools
import inspect
from typing import Any

import keras

from keras_indi import layers, samplers, schedules
from keras_indi.data import degradations
from keras_indi.layers.old_names import RENAMED

# The prefix of the names by which Keras knows this package's classes, and the names
# among them that a preset may hold. Metrics open files and download weights.
OWN = "keras_indi>"
OWN_CLASSES = {
    *(f"{OWN}{name}" for name in ("ConditionalDDPM", "InDI", "UNetBackbone")),
    *(
        keras.saving.get_registered_name(found)
        for room in (degradations, layers, samplers, schedules)
        for found in vars(room).values()
        if inspect.isclass(found)
    ),
    *(f"{OWN}{old}" for old in RENAMED),
}
# Public modules of Keras whose classes do nothing but compute.
MODULES = {
    "keras.activations",
    "keras.constraints",
    "keras.dtype_policies",
    "keras.initializers",
    "keras.layers",
    "keras.random",
    "keras.regularizers",
}
# Operations that call functions passed to them.
CALLERS = {
    "AssociativeScan",
    "Cond",
    "ForiLoop",
    "Map",
    "Scan",
    "Switch",
    "VectorizedMap",
    "WhileLoop",
}
CLASSES = {
    ("keras", "DTypePolicy"),
    ("keras", "FloatDTypePolicy"),
    ("keras", "Model"),
    ("keras", "Sequential"),
    ("keras.models", "Model"),
    ("keras.models", "Sequential"),
}
# Layers that contain code, or read files named in a config.
FORBIDDEN = {
    "FlaxLayer",
    "IntegerLookup",
    "JaxLayer",
    "Lambda",
    "StringLookup",
    "TextVectorization",
    "TFSMLayer",
    "TorchModuleWrapper",
}
# Serialized plain values: data without a class.
VALUES = {
    "__bytes__",
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
}


def check_config(config: dict[str, Any], file_name: str, preset: object) -> None:
    """Raise a ValueError unless a config names only allowed classes.

    Allowed are layers, operations, initializers and similar objects of Keras without
    code; the models, layers, schedules, samplers and degradations of this package; and
    classes registered in this process with `keras.saving.register_keras_serializable`.

    Args:
        config: Dict, the content of a JSON file.
        file_name: Its name, for the error.
        preset: The user's handle, for the error.
    """
    pending = [config]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending.extend(part.values())
            if "class_name" in part and not _may_be_built(part):
                raise _refusal(_shown(part), file_name, preset)
        elif isinstance(part, list):
            pending.extend(part)
        # Where Keras or this package expects an object, a name alone builds one.
        elif isinstance(part, str) and part.startswith(OWN):
            if part not in OWN_CLASSES:
                raise _refusal(f"`{part}`", file_name, preset)


def is_registered(name: object) -> bool:
    """Return whether a preset may name a registered class or function."""
    if not isinstance(name, str):
        return False
    if name.startswith(OWN) and name not in OWN_CLASSES:
        return False
    return keras.saving.get_registered_object(name) is not None


def _refusal(shown: str, file_name: str, preset: object) -> ValueError:
    return ValueError(
        f"{file_name} names {shown}, which a preset may not: only layers and "
        "operations of Keras that hold no code; models, layers, schedules, samplers "
        "and degradations of keras_indi; and what others have registered with "
        "`keras.saving.register_keras_serializable`. If it is yours, import the module "
        "that registers it first (on the command line by `--import MODULE`). "
        f"Received: preset={str(preset)!r}"
    )


def _may_be_built(part: dict[str, Any]) -> bool:
    class_name, module = part["class_name"], part.get("module")
    if not isinstance(class_name, str) or class_name in FORBIDDEN:
        return False
    if class_name in VALUES:
        return True
    if class_name == "function":
        # Keras looks the names of builtins up among its activations and the like.
        # It also finds this package's classes there, by names without the package.
        name = part.get("config")
        if f"{OWN}{name}" in keras.saving.get_custom_objects():
            return False
        return is_registered(name) or module in ("builtins", "keras.activations")
    # Keras takes what is registered under this name, whatever the module.
    if is_registered(part.get("registered_name", class_name)):
        return True
    if not isinstance(module, str):
        return False
    named = module, class_name
    return module in MODULES or named in CLASSES or named in _of_keras()


@functools.cache
def _of_keras() -> set[tuple[str, str]]:
    """Return modules and names of Keras's functional models and operations.

    The classes are public, but their modules are private to Keras.
    """
    found = {
        cls for cls in keras.Model.__subclasses__() if cls.__name__ == "Functional"
    }
    pending = [keras.Operation]
    while pending:
        cls = pending.pop()
        if not issubclass(cls, keras.layers.Layer):
            pending += cls.__subclasses__()
            found.add(cls)
    found -= {keras.Operation}
    return {
        (cls.__module__, cls.__name__)
        for cls in found
        if cls.__module__.partition(".")[0] == "keras" and cls.__name__ not in CALLERS
    }


def _shown(part: dict[str, Any]) -> str:
    registered, module = part.get("registered_name"), part.get("module")
    if isinstance(registered, str) and ">" in registered:
        return f"`{registered}`"
    name = part["class_name"]
    if name == "function":
        name = part.get("config")
    return f"`{module}.{name}`" if module else f"`{name}`"
