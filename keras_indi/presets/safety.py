"""What a preset's configs may name: nothing that lets a preset run its own code."""

import keras

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
# Where Keras itself says that its operations and functional models come from.
OPERATIONS = "keras.src.ops."
CLASSES = {
    ("keras", "DTypePolicy"),
    ("keras", "FloatDTypePolicy"),
    ("keras", "Model"),
    ("keras", "Sequential"),
    ("keras.models", "Model"),
    ("keras.models", "Sequential"),
    ("keras.src.models.functional", "Functional"),
}
# Layers that hold code, or read files that a config names.
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
# What Keras writes for plain values: data, of no class.
VALUES = {
    "__bytes__",
    "__ellipsis__",
    "__keras_tensor__",
    "__numpy__",
    "__slice__",
    "__tensor__",
}


def check_config(config, file_name, preset):
    """Raises a ValueError unless all that a config names may be built.

    That is: layers, operations, initializers and the like of Keras which hold no
    code, and classes and functions that this process has registered with
    `keras.saving.register_keras_serializable`.

    Args:
        config: Dict, the content of a JSON file.
        file_name: Its name, for the error.
        preset: What the user named, for the error.
    """
    pending = [config]
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending.extend(part.values())
            if "class_name" in part and not _may_be_built(part):
                raise ValueError(
                    f"{file_name} names {_shown(part)}, which a preset may not: only "
                    "Keras's own layers and operations that hold no code, and what is "
                    "registered with `keras.saving.register_keras_serializable`. If it "
                    "is yours, import the module that registers it first. Received: "
                    f"preset={str(preset)!r}"
                )
        elif isinstance(part, list):
            pending.extend(part)


def is_registered(name):
    """Whether this process has registered a class or function of this name."""
    return isinstance(name, str) and (
        keras.saving.get_registered_object(name) is not None
    )


def _may_be_built(part):
    class_name, module = part["class_name"], part.get("module")
    if not isinstance(class_name, str) or class_name in FORBIDDEN:
        return False
    if class_name in VALUES:
        return True
    if class_name == "function":
        # Keras looks the names of builtins up among its activations and the like.
        return is_registered(part.get("config")) or module in (
            "builtins",
            "keras.activations",
        )
    # Keras takes what is registered under this name, whatever the module.
    if is_registered(part.get("registered_name", class_name)):
        return True
    if not isinstance(module, str):
        return False
    return (
        module in MODULES
        or (module, class_name) in CLASSES
        or f"{module}.".startswith(OPERATIONS)
    )


def _shown(part):
    registered, module = part.get("registered_name"), part.get("module")
    if isinstance(registered, str) and ">" in registered:
        return f"`{registered}`"
    name = part["class_name"]
    if name == "function":
        name = part.get("config")
    return f"`{module}.{name}`" if module else f"`{name}`"
