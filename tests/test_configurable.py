import collections
import copy
import dataclasses
import functools
import inspect
import json
import pickle

import keras
import numpy as np
import pytest

from keras_indi import configurable, samplers, schedules

OBJECTS = [
    schedules.UniformTime(),
    schedules.UniformTime(stratified=True),
    schedules.LinearMixtureTime(a=3.0),
    schedules.PowerTime(k=-0.5, stratified=True),
    schedules.ConstantNoise(0.02),
    schedules.BrownianNoise(0.02),
    schedules.UniformGrid(),
    schedules.PowerGrid(k=3.0),
    schedules.CosineGrid(),
    schedules.ExplicitGrid([1.0, 0.25, 0.0]),
    *(sampler() for sampler in samplers.BUILTIN.values()),
]


@keras.saving.register_keras_serializable(package="tests")
class Shape(configurable.Configurable):
    def __init__(self, sides=3, names=("a", "b")):
        self.sides = sides
        self.names = names


@keras.saving.register_keras_serializable(package="tests")
class Square(Shape):
    pass


def resolve(identifier):
    return configurable.resolve(identifier, Shape, {"square": Square}, "shape")


@pytest.mark.parametrize("item", OBJECTS, ids=repr)
def test_every_object_survives_its_config(item):
    config = json.loads(json.dumps(item.get_config()))
    again = type(item).from_config(config)
    assert again == item
    assert hash(again) == hash(item)
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(item)))
    assert keras.saving.deserialize_keras_object(serialized) == item


def test_different_objects_are_unequal():
    for index, item in enumerate(OBJECTS):
        assert all(item != other for other in OBJECTS[index + 1 :])
        assert item != "uniform"
    assert len(set(OBJECTS)) == len(OBJECTS)


def test_arguments_make_the_difference():
    assert Shape(3) == Shape() == Shape(names=("a", "b"))
    assert Shape(4) != Shape(3)
    assert Shape(3) != Square(3)
    assert {Shape(3): "found"}[Shape(3)] == "found"
    assert {Shape(3): "found"}.get(Shape(4)) is None


def test_repr_is_the_call_that_builds_the_object():
    assert repr(Shape(5)) == "Shape(sides=5, names=('a', 'b'))"
    assert repr(schedules.PowerGrid(3)) == "PowerGrid(k=3.0)"


class Weighted(Shape):
    def __init__(self, weights, names=("a",)):
        super().__init__(names=names)
        self.weights = weights
        self.sides = 4  # its own constructor may set what its base has set

    @functools.cached_property
    def total(self):
        return float(np.sum(self.weights))


@pytest.mark.parametrize("item", [*OBJECTS, Weighted(np.ones(3))], ids=repr)
def test_nothing_can_be_set_once_an_object_is_built(item):
    again = [pickle.loads(pickle.dumps(item)), copy.deepcopy(item)]
    name = next(iter(item.get_config()), "eps")
    for one in (item, *again):
        with pytest.raises(AttributeError, match=f"Build another.*Received: {name}=7"):
            setattr(one, name, 7)
        assert one == item


def test_a_constructor_is_called_and_shown_as_it_is_written():
    assert Weighted([1.0, 2.0]).sides == 4
    assert list(inspect.signature(Weighted).parameters) == ["weights", "names"]
    assert Weighted([1.0, 2.0]).total == 3.0


def test_arrays_are_read_only_copies():
    weights = np.ones(3)
    weighted = Weighted(weights)
    weights[0] = 5.0
    np.testing.assert_array_equal(weighted.weights, np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        weighted.weights[0] = 5.0


def test_containers_are_copies_and_cannot_be_written():
    array, rows = np.ones(3), [1.0, 2.0]
    shape = Shape(rows, {"rows": rows, "arrays": [array]})
    before = hash(shape)
    array[0] = rows[0] = 5.0
    assert shape.sides == (1.0, 2.0) and shape.names["rows"] == (1.0, 2.0)
    np.testing.assert_array_equal(shape.names["arrays"][0], np.ones(3))
    with pytest.raises(TypeError):
        shape.sides[0] = 5.0
    for one in (shape, copy.deepcopy(shape), pickle.loads(pickle.dumps(shape))):
        for change in DICT_CHANGES:
            with pytest.raises(TypeError, match="Build another.*Received: a change of"):
                change(one.names)
        assert hash(one) == hash(shape) == before
    serialized = json.loads(json.dumps(keras.saving.serialize_keras_object(Shape([1]))))
    assert keras.saving.deserialize_keras_object(serialized) == Shape([1])


DICT_CHANGES = [
    lambda names: names.__setitem__("rows", 5),
    lambda names: names.__delitem__("rows"),
    lambda names: names.update(rows=5),
    lambda names: names.setdefault("more", 5),
    lambda names: names.pop("rows"),
    lambda names: names.popitem(),
    lambda names: names.clear(),
    lambda names: names.__ior__({"rows": 5}),
]
Point = collections.namedtuple("Point", "place colours")


def test_containers_of_other_kinds_are_copies_too():
    members, array = collections.OrderedDict(eps=0.5), np.ones(3)
    shape = Shape(Point([1.0], {"red"}), {"inner": members, "point": Point(array, 0)})
    members["eps"] = array[0] = 5.0
    assert shape.sides == Point((1.0,), frozenset({"red"}))
    assert shape.names["inner"] == {"eps": 0.5}
    np.testing.assert_array_equal(shape.names["point"].place, np.ones(3))


@pytest.mark.parametrize("copied", [copy.deepcopy, copy.copy, pickle.dumps])
def test_arrays_of_copies_are_read_only(copied):
    again = copied(Weighted(np.ones(3)))
    again = pickle.loads(again) if isinstance(again, bytes) else again
    assert again == Weighted(np.ones(3))
    with pytest.raises(ValueError, match="read-only"):
        again.weights[0] = 5.0


def test_attributes_cannot_be_deleted():
    shape = Shape()
    with pytest.raises(AttributeError, match="Received: del sides"):
        del shape.sides
    assert shape.sides == 3


def test_a_constructor_may_stand_in_a_class_of_another_kind():
    class Mixin:
        def __init__(self, sides=3):
            self.sides = sides

    class Mixed(Mixin, configurable.Configurable):
        pass

    mixed = Mixed(5)
    with pytest.raises(AttributeError, match="Build another"):
        mixed.sides = 6
    assert mixed == Mixed(5) != Mixed(6)


def test_layers_of_one_name_are_different_layers():
    first, second = keras.layers.Dense(2, name="a"), keras.layers.Dense(2, name="a")
    assert Shape(first) == Shape(first) != Shape(second)


def test_keys_of_dicts_are_exact():
    assert Shape({1: 2, "a": 3}) == Shape({"a": 3, 1: 2})
    assert Shape({1: 2}) != Shape({"1": 2})


@pytest.mark.parametrize(
    "kind", [np.array, keras.ops.convert_to_tensor, keras.Variable, Weighted]
)
def test_objects_that_differ_inside_a_large_array_are_unequal(kind):
    def large(middle):
        weights = np.ones(5000, "float32")
        weights[2500] = middle
        return Weighted(kind(weights))

    assert large(1.0) == large(1.0) and hash(large(1.0)) == hash(large(1.0))
    assert large(1.0) != large(1.0 + 1e-6)
    assert Weighted(kind(np.ones(4))) != Weighted(kind(np.ones((2, 2))))


@dataclasses.dataclass
class Holder:
    weights: np.ndarray


def held(weights):
    return weights


class Deaf(Holder):
    def __reduce__(self):
        raise TypeError("cannot be pickled")


@pytest.mark.parametrize(
    "kind", [Holder, Deaf, functools.partial(functools.partial, held)]
)
def test_so_are_objects_that_hold_one(kind):
    weights = np.ones(5000, "float32")
    first = Shape(kind(weights.copy()))
    assert first == first and hash(first) == hash(first)
    weights[2500] = 2.0
    other = kind(weights)
    assert repr(other) == repr(first.sides)  # which shows six values
    assert Shape(other) != first


def test_objects_inside_of_two_classes_of_one_name_are_unequal():
    def named(package, value):
        @keras.saving.register_keras_serializable(package)
        class Noise(schedules.NoiseSchedule):
            def level(self, times):
                return value * keras.ops.ones_like(times)

        return Noise()

    # As where a cell of a notebook is run again.
    first, second = named("tests", 0.1), named("tests", 0.2)
    for around in (Shape, functools.partial(schedules.ScaledNoise, factor=2)):
        assert around(first) == around(first) != around(second)
        assert hash(around(first)) == hash(around(first))


def test_an_argument_that_is_not_stored_is_named():
    class Forgetful(configurable.Configurable):
        def __init__(self, size):
            self.length = size

    with pytest.raises(NotImplementedError, match=r"Received:.*\['size'\]"):
        Forgetful(3).get_config()


def test_resolve_takes_objects_names_and_configs():
    shape = Shape(7)
    assert resolve(shape) is shape
    assert resolve("square") == Square()
    assert resolve("tests>Shape") == Shape()
    assert resolve(keras.saving.serialize_keras_object(shape)) == shape


@pytest.mark.parametrize("wrong", ["circle", None, 3, schedules.UniformTime(), Shape])
def test_resolve_says_what_it_received(wrong):
    with pytest.raises(ValueError, match="`shape` must be a Shape.*Received: shape="):
        resolve(wrong)


def test_a_name_that_nobody_registered_says_what_to_import():
    with pytest.raises(
        ValueError, match="import the module.*Received: shape='mine>Round'$"
    ):
        resolve("mine>Round")
    with pytest.raises(ValueError, match="registered name, or a serialized config. R"):
        resolve("keras_indi>UniformTime")  # registered, and of another kind


def test_class_of_finds_short_and_registered_names_of_one_kind():
    known = {"square": Square}
    assert configurable.class_of("square", Shape, known) is Square
    assert configurable.class_of("tests>Shape", Shape, known) is Shape
    assert configurable.class_of("tests>Shape", Square, known) is None
    assert configurable.class_of("circle", Shape, known) is None
