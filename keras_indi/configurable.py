"""Base class of serializable objects, such as schedules, grids and samplers."""

import collections
import functools
import hashlib
import inspect
import json
import pickle
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, Self, TypeVar

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Config
from keras_indi.validation import did_you_mean

Object = TypeVar("Object")


class Configurable:
    """Base class of configuration objects that are saved with a model.

    A subclass stores each constructor argument under the argument's own name. Then
    `get_config()` reads them back, and two objects of one class with equal arguments
    are equal. Decorate your own subclass with
    `@keras.saving.register_keras_serializable(package="...")`, so that saved models
    can be loaded.

    Objects are immutable once built, because compiled models capture their values.
    Arrays and dicts become read-only copies, lists become tuples and sets frozensets.
    (A `functools.cached_property` works.) Objects of other kinds stay as they are; do
    not change them.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if cls.__init__ is not object.__init__:
            cls.__init__ = _freezing(cls.__init__)  # type: ignore[method-assign]

    def __setattr__(self, name: str, value: Any) -> None:
        self._check_is_being_built(f"{name}={value!r}")
        super().__setattr__(name, value)

    def __delattr__(self, name: str) -> None:
        self._check_is_being_built(f"del {name}")
        super().__delattr__(name)

    def _check_is_being_built(self, change):
        if "_is_being_built" not in vars(self):
            raise AttributeError(
                f"A {type(self).__name__} does not change once it is built, as models "
                "have compiled in what they read of it. Build another one, and set "
                f"that. Received: {change} for {self!r}"
            )

    def __setstate__(self, state: dict[str, Any]) -> None:
        # For a copied or unpickled object with writable arrays.
        vars(self).update({name: _frozen(value) for name, value in state.items()})

    def get_config(self) -> Config:
        """Return the constructor's arguments as a JSON-compatible dict."""
        names = inspect.signature(type(self)).parameters
        missing = [name for name in names if not hasattr(self, name)]
        if missing:
            raise NotImplementedError(
                f"{type(self).__name__} must store each constructor argument "
                "under the argument's name, or override `get_config()`. "
                f"Received: no attribute for {missing}"
            )
        return {name: getattr(self, name) for name in names}

    @classmethod
    def from_config(cls, config: Config) -> Self:
        """Build the object that `get_config()` describes."""
        return cls(**config)

    def __eq__(self, other):
        return type(self) is type(other) and self._key() == other._key()

    def __hash__(self):
        return hash((type(self), self._key()))

    def __repr__(self):
        # The attribute itself, where the config holds an object's config.
        config = self.get_config().items()
        arguments = ", ".join(f"{k}={getattr(self, k, v)!r}" for k, v in config)
        return f"{type(self).__name__}({arguments})"

    def _key(self):
        config = self.get_config()
        for name in config:
            # The object itself, whose class is exact, not only its registered name.
            if isinstance(member := getattr(self, name, None), Configurable):
                config[name] = member
        return json.dumps(_exact(config))


def _freezing(init: Callable[..., None]) -> Callable[..., None]:
    """Return a constructor that freezes the object at its end."""

    @functools.wraps(init)
    def constructor(self: Configurable, *args: Any, **kwargs: Any) -> None:
        attributes = vars(self)
        if "_is_being_built" in attributes:  # by a subclass
            return init(self, *args, **kwargs)
        attributes["_is_being_built"] = True
        init(self, *args, **kwargs)
        del attributes["_is_being_built"]
        for name, value in attributes.items():
            attributes[name] = _frozen(value)

    return constructor


def _frozen(value: Any) -> Any:
    """Return an immutable value: containers and arrays are copied."""
    if isinstance(value, np.ndarray):
        value = value.copy()
        value.setflags(write=False)
    elif type(value) in (list, tuple):
        return tuple(map(_frozen, value))
    elif isinstance(value, tuple) and hasattr(value, "_fields"):
        return type(value)(*map(_frozen, value))
    elif type(value) is set:
        return frozenset(value)
    elif type(value) in (dict, collections.OrderedDict, FrozenDict):
        return FrozenDict((key, _frozen(member)) for key, member in value.items())
    return value


class FrozenDict(dict):
    """A dict that does not change: in JSON, in configs and in calls it is a dict."""

    def _refuse(self, *args: Any, **kwargs: Any) -> NoReturn:
        raise TypeError(
            "A dict of an object that is built does not change, as models have "
            "compiled in what they read of it. Build another object, and set that. "
            f"Received: a change of {self!r}"
        )

    __setitem__ = __delitem__ = __ior__ = _refuse  # type: ignore[assignment]
    clear = pop = popitem = setdefault = update = _refuse  # type: ignore[assignment]

    def __reduce__(self) -> tuple:
        return type(self), (dict(self),)  # which copies and pickles fill at once


def _exact(value: Any) -> Any:
    """Return a JSON-compatible representation of a value, for a comparison key."""
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, (list, tuple)):
        return list(map(_exact, value))
    if isinstance(value, dict):
        # In JSON, the keys 1 and "1" are the same.
        members = [(repr(key), _exact(member)) for key, member in value.items()]
        return {"dict": sorted(members, key=lambda member: member[0])}
    if isinstance(value, Configurable):
        return [type(value).__name__, id(type(value)), value._key()]
    if hasattr(value, "__array__"):
        array = ops.convert_to_numpy(value)
        digest = hashlib.sha256(array.tobytes()).hexdigest()
        return [array.dtype.str, array.shape, digest]
    if isinstance(value, keras.layers.Layer):  # whose repr is its name
        return [repr(value), id(value)]
    # A repr shows what an object is, and functions by their address; but of arrays
    # inside only some values.
    try:
        content = hashlib.sha256(pickle.dumps(value)).hexdigest()
    except Exception:  # of any kind, from what cannot be pickled
        content = id(value)
    return [repr(value), content]


def class_of(
    name: str, base_class: type[Object], builtin: Mapping[str, Any]
) -> type[Object] | None:
    """Return the class of a name.

    Args:
        name: A name among `builtin`, or a name registered with Keras, such as
            `"my_package>MySampler"`.
        base_class: The required base class.
        builtin: Mapping of short names to classes, such as a `Registry`.

    Returns:
        The class, or `None` if there is none of this name.
    """
    found = builtin.get(name)
    if found is None:
        found = keras.saving.get_registered_object(name)
    is_one = inspect.isclass(found) and issubclass(found, base_class)
    return found if is_one else None


def name_hint(name: str, builtin: Mapping[str, Any]) -> str:
    """Return advice for the error about an unknown name, or an empty string."""
    if ">" in name and keras.saving.get_registered_object(name) is None:
        return (
            " No class is registered by this name: import the module that registers "
            "it first (on the command line by `--import MODULE`)."
        )
    return did_you_mean(name, builtin)


def resolve(
    identifier: Any, base_class: type[Object], builtin: Mapping[str, Any], argument: str
) -> Object:
    """Turn an object, a name or a config into an object.

    Args:
        identifier: An instance of `base_class`; a name among `builtin`, or a
            registered name such as `"my_package>MySampler"`; or a config from
            `keras.saving.serialize_keras_object`.
        base_class: The class that the result must be an instance of.
        builtin: Mapping of short names to classes, such as a `Registry`.
        argument: The name of the caller's argument, for the error.

    Returns:
        An instance of `base_class`.

    Raises:
        ValueError: If `identifier` is none of these.
    """
    found, hint = identifier, ""
    if isinstance(identifier, str):
        # A name may come from a preset, so it can build only these classes.
        named = class_of(identifier, base_class, builtin)
        found = None if named is None else named()
        hint = name_hint(identifier, builtin)
    elif isinstance(identifier, dict):
        found = keras.saving.deserialize_keras_object(identifier)
    if not isinstance(found, base_class):
        raise ValueError(
            f"`{argument}` must be a {base_class.__name__}, one of the names "
            f"{sorted(builtin)}, a registered name, or a serialized config.{hint} "
            f"Received: {argument}={identifier!r}"
        )
    return found
