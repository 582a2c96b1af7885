"""Building of models from the files of a preset."""

import copy
import inspect
import math
import random
from concurrent.futures import ThreadPoolExecutor

import keras

from keras_indi.presets import weights

# Limit for an architecture without weights, otherwise unbounded: 4 GiB in float32.
MAX_PARAMETERS = 2**30


def part_and_class(cls, found):
    """Return the part of a preset, and the class, that `cls.from_preset` builds.

    Args:
        cls: A class of models, or a base class of some.
        found: An `io.Preset`.

    Returns:
        Pair of `"task"` or `"backbone"`, and the class to build: the saved class if it
        is a `cls`, else `cls` if it extends the saved class. `None` if neither holds.
    """
    for part, config in (("task", found.task), ("backbone", found.config)):
        held = None if config is None else _saved_class(config)
        if held is None:
            continue
        if issubclass(held, cls):
            return part, held
        if issubclass(cls, held) and held is not keras.Model:
            return part, cls
    if found.task is None and "backbone" in inspect.signature(cls).parameters:
        return "task", cls
    return None


def prepared(cls, found, dtype, overrides):
    """Check the arguments of `cls.from_preset` before any work starts.

    Args:
        cls: A class of models, or a base class of some.
        found: An `io.Preset`.
        dtype: Compute dtype or policy of the backbone; `None` for Keras's default.
        overrides: Dict of arguments that replace the saved ones.

    Returns:
        Function without arguments that builds the model, with random weights.

    Raises:
        ValueError: If the preset is of another class, or `dtype` is not valid.
        TypeError: If an override is not an argument of the model or its backbone.
    """
    chosen = part_and_class(cls, found)
    if chosen is None:
        held = [config["class_name"] for config in (found.task, found.config) if config]
        raise ValueError(
            f"This preset holds {' around '.join(held)}, and cannot be loaded as "
            f"{cls.__name__}. Received: preset={found.handle!r}"
        )
    part, built_class = chosen
    accepted = _accepted(found.config)
    own = set()
    if part == "task":
        own = set(inspect.signature(built_class).parameters) | {"name", "trainable"}
        own -= {"backbone", "kwargs", "args"}
    unknown = sorted(overrides.keys() - own - accepted)
    if unknown:
        raise TypeError(
            f"Overrides are arguments of the model: {sorted(own | accepted)}. "
            f"Received: {', '.join(f'{key}={overrides[key]!r}' for key in unknown)}"
        )
    of_task = {key: value for key, value in overrides.items() if key in own}
    of_backbone = {key: value for key, value in overrides.items() if key not in own}
    if dtype is not None:
        of_backbone["dtype"] = _checked_policy(dtype, found)
    backbone = _changed(found.config, of_backbone)
    if part == "backbone":
        return lambda: _build(backbone, built_class)
    if found.task is None:
        return lambda: built_class(_build(backbone), **of_task)
    # Before the overrides, which use the current names.
    task = {**found.task, "config": built_class.updated_config(found.task["config"])}
    task = _changed(task, {**of_task, "backbone": backbone})
    return lambda: _build(task, built_class)


def load(cls, found, load_weights, dtype, overrides):
    """Load a model from a preset's files; as for `PresetModel.from_preset`."""
    build = prepared(cls, found, dtype, overrides)
    stored = None
    if load_weights:
        found.check_weights()
        stored = found.stored_layout()
        _check_depth(found, stored)
    # Allocate no memory for a config before its weights are known to exist.
    described = _described(build, found)
    if stored is None:
        _check_size(described, found)
    elif described:
        weights.check_shapes(stored, described, found.handle)
    model = _built(build, found)
    if load_weights:
        found.load_weights(built_backbone(model), stored)
    return model


def _described(build, found):
    """Return names and shapes of a network's weights, without creating them.

    The list is empty if the weights are only created on first use, as in some
    registered classes of users.
    """
    known = _named_classes([found.config, found.task])

    def describe():
        with (
            keras.StatelessScope(initialize_variables=False),
            keras.saving.custom_object_scope(known),
        ):
            model = _built(build, found)
            network = getattr(model, "backbone", model)
            return [(w.path, tuple(w.shape)) for w in network.weights]

    # Keras numbers its random generators by Python's, also of a network for a moment.
    state = random.getstate()
    # Weights without values wait for the next scope to give them some. Keras keeps
    # them by thread: those of this one go with it.
    with ThreadPoolExecutor(1) as thread:
        try:
            return thread.submit(describe).result()
        finally:
            random.setstate(state)


def unregistered_names(config):
    """Return the names `package>Class` in a config that are not registered."""
    found = _named([config]).items()
    return sorted(name for name, known in found if ">" in name and known is None)


def _named_classes(configs):
    """Return a dict of the known classes in configs, as for `custom_object_scope`."""
    return {name: cls for name, cls in _named(configs).items() if cls is not None}


def _named(configs):
    """Return a dict from class names in configs to the classes, or `None`."""
    known, pending = {}, list(configs)
    while pending:
        part = pending.pop()
        if isinstance(part, dict):
            pending += part.values()
            for name in (part.get("registered_name"), part.get("class_name")):
                if isinstance(name, str) and name not in known:
                    known[name] = keras.saving.get_registered_object(name)
        elif isinstance(part, list):
            pending += part
    return known


def _built(build, found):
    try:
        return build()
    except Exception as error:  # Keras and its backends raise of all kinds
        if isinstance(error, ValueError) and "Received: " in str(error):
            raise  # its message is clear
        first = str(error).strip().partition("\n")[0]
        raise ValueError(
            "The network or the restorer that this preset describes cannot be built: "
            f"{type(error).__name__}: {first}. Received: preset={found.handle!r}"
        ) from error


def _check_depth(found, stored):
    """Raise a ValueError if a config has more blocks than there are stored arrays."""
    blocks = found.config["config"].get("blocks_per_level")
    numbers = blocks if isinstance(blocks, list) else [blocks]
    if any(isinstance(n, int) and n > len(stored) for n in numbers):
        raise ValueError(
            f"The weights of {len(stored)} arrays must be those of the network that "
            f"config.json describes, with blocks_per_level={blocks!r}. Received: "
            f"preset={found.handle!r}"
        )


def _check_size(described, found):
    count = sum(math.prod(shape) for _, shape in described)
    if count > MAX_PARAMETERS:
        raise ValueError(
            f"A preset's network has at most {MAX_PARAMETERS} parameters; a larger one "
            f"is built by its class. Received: preset={found.handle!r} with {count}"
        )


def built_backbone(model):
    """Return the model whose weights a preset holds, with its variables created."""
    backbone = getattr(model, "backbone", model)
    if not backbone.built:
        # Its variables depend on no height and width, as it is convolutional.
        size = 8 * getattr(backbone, "size_multiple", 8)
        model.build((1, size, size, model.image_channels or 3))
    return backbone


def _build(config, built_class=None):
    config = copy.deepcopy(config)  # Keras takes it apart, and it is built twice
    if built_class is None or built_class is _saved_class(config):
        return keras.saving.deserialize_keras_object(config, safe_mode=True)
    return built_class.from_config(config["config"])


def _saved_class(config):
    """Return the class that a config names, or `None` if it is not registered."""
    registered = config.get("registered_name") or config["class_name"]
    if registered in ("Functional", "Sequential", "Model"):
        return keras.Model
    found = keras.saving.get_registered_object(registered)
    return found if inspect.isclass(found) else None


def _accepted(config):
    """Return the arguments of a backbone that may be overridden."""
    if is_graph(config):
        return {"name", "trainable"}
    return set(config["config"]) | {"name", "trainable"}


def is_graph(config):
    """Return whether a config lists layers, each with its own dtype."""
    return "layers" in config["config"]


def _changed(config, changes):
    return {**config, "config": {**config["config"], **changes}}


def _checked_policy(dtype, found):
    if is_graph(found.config):
        raise ValueError(
            "The layers of this preset's network each keep the dtype they were saved "
            f"with; leave `dtype` out. Received: dtype={dtype!r}"
        )
    return keras.dtype_policies.get(dtype)
