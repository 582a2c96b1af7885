import json

import keras
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
