"""Public functions and methods annotate each parameter and the result."""

import functools
import importlib.resources
import inspect
import types

import pytest

from keras_indi import (
    callbacks,
    data,
    diffusion_process,
    evaluation,
    images,
    layers,
    metrics,
    models,
    process,
    samplers,
    schedules,
    training,
)

pytestmark = pytest.mark.backend_free

ROOMS = [
    callbacks,
    data,
    data.degradations,
    data.resize,
    diffusion_process,
    evaluation,
    images,
    layers,
    metrics,
    models,
    process,
    samplers,
    schedules,
    schedules.diffusion_schedule,
    schedules.noise_schedule,
    schedules.time_distribution,
    schedules.time_grid,
    training,
]
SPECIAL = {"__init__", "__call__", "__getitem__", "__len__", "__iter__"}


def is_ours(thing):
    module = getattr(thing, "__module__", None) or ""
    return module.split(".")[0] == "keras_indi"


def functions_of(attribute):
    """The functions that an attribute of a class consists of."""
    if isinstance(attribute, property):
        return [f for f in (attribute.fget, attribute.fset) if f is not None]
    if isinstance(attribute, functools.cached_property):
        return [attribute.func]
    if isinstance(attribute, (classmethod, staticmethod)):
        attribute = attribute.__func__
    attribute = inspect.unwrap(attribute) if callable(attribute) else attribute
    return [attribute] if isinstance(attribute, types.FunctionType) else []


def public_functions(room):
    """Functions of a room, and methods of its classes and of their bases here."""
    for name, thing in vars(room).items():
        if name.startswith("_"):
            continue
        if inspect.isclass(thing):
            for base in filter(is_ours, thing.__mro__):
                for member, attribute in vars(base).items():
                    if member in SPECIAL or not member.startswith("_"):
                        for function in functions_of(attribute):
                            yield f"{base.__qualname__}.{member}", function
        elif callable(thing):
            for function in functions_of(thing):
                yield name, function


def lacking(function):
    """The names of what has no annotation."""
    signature = inspect.signature(function)
    first = next(iter(signature.parameters), None)
    return [
        name
        for name, parameter in signature.parameters.items()
        if parameter.annotation is inspect.Parameter.empty
        and not (name == first and name in ("self", "cls"))
    ] + ["return"] * (signature.return_annotation is inspect.Signature.empty)


@pytest.mark.parametrize("room", ROOMS, ids=lambda room: room.__name__)
def test_public_functions_and_methods_have_annotations(room):
    found = {name: f for name, f in public_functions(room) if is_ours(f)}
    missing = {name: lacking(f) for name, f in found.items() if lacking(f)}
    assert not missing


def test_the_search_finds_methods_properties_and_functions():
    names = {name for room in ROOMS for name, _ in public_functions(room)}
    assert {
        "interpolate",
        "Sampler.step",
        "Sampler.scale_between",
        "NoiseSchedule.is_constant",
        "UNetBackbone.__init__",
        "Configurable.from_config",
        "Table.from_json",
    } <= names

    def bare(self, images, *, size: int = 1):
        return images

    assert lacking(bare) == ["images", "return"]


def test_the_package_says_that_it_has_types():
    assert (importlib.resources.files("keras_indi") / "py.typed").is_file()
