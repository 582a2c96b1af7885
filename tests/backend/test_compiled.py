import keras
import numpy as np
import pytest
from helpers import to_numpy

from keras_indi.backend import compiled

BACKEND = keras.config.backend()
compiles = pytest.mark.skipif(BACKEND == "torch", reason="PyTorch runs eagerly")


def test_results_and_new_values_of_variables():
    weight = keras.Variable(np.array([1.0, 2.0], "float32"))

    def scale(x, pair):
        first, (second, _) = pair
        return x * weight + first, (second * weight,)

    function = compiled.compile_function(scale, [weight])
    x = keras.ops.convert_to_tensor([3.0, 4.0])
    for value in ([1.0, 2.0], [10.0, -1.0]):
        weight.assign(value)
        product, (second,) = function(x, (x, (x, x)))
        product, second = to_numpy(product), to_numpy(second)
        np.testing.assert_allclose(product, np.array(value) * [3, 4] + [3, 4])
        np.testing.assert_allclose(second, np.array(value) * [3, 4])


@compiles
def test_python_runs_once_per_shape():
    runs = []

    def double(x, time):
        runs.append(x.shape)
        return x * time

    function = compiled.compile_function(double, [])
    for time in (0.1, 0.2, 0.3):
        function(keras.ops.ones((2, 3)), keras.ops.convert_to_tensor(time))
    assert len(runs) == 1
    function(keras.ops.ones((2, 5)), keras.ops.convert_to_tensor(0.1))
    assert len(runs) == 2


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others compile each size")
def test_all_sizes_share_what_tensorflow_compiles():
    runs = []

    def double(x, pair):
        runs.append(x.shape)
        return x * pair[1]

    function = compiled.compile_function(double, [])
    two = keras.ops.convert_to_tensor(2.0)
    for shape in ((1, 4, 6, 3), (1, 8, 6, 3), (5, 8, 9, 3)):
        found = function(keras.ops.ones(shape), (None, two))
        np.testing.assert_array_equal(to_numpy(found), np.full(shape, 2))
    assert [tuple(shape) for shape in runs] == [(None, None, None, 3)]


def test_what_has_one_size_is_compiled_for_it():
    def flat(x):
        height, width = x.shape[1:3]
        return keras.ops.reshape(x, (-1, height * width))

    function = compiled.compile_function(flat, [])
    for batch in (1, 3):
        found = function(keras.ops.ones((batch, 4, 6, 1)))
        assert found.shape == (batch, 24)


@pytest.mark.skipif(BACKEND != "torch", reason="PyTorch's gradients")
def test_no_gradient_is_recorded():
    weight = keras.Variable(np.ones(2, "float32"))
    function = compiled.compile_function(lambda x: x * weight, [weight])
    assert (keras.ops.ones(2) * weight).requires_grad
    assert not function(keras.ops.ones(2)).requires_grad


def test_xla_stays_off_on_a_cpu_with_tensorflow():
    choice = compiled.default_jit_compile()
    if BACKEND != "tensorflow":
        assert choice == "auto"
        return
    import tensorflow as tf

    accelerators = tf.config.list_physical_devices("GPU")
    assert choice is (False if not accelerators else "auto")


@pytest.mark.skipif(BACKEND != "torch", reason="of PyTorch")
def test_memory_that_pytorch_keeps_is_free(monkeypatch):
    import torch

    assert torch.cuda.is_available() or compiled.free_device_memory() is None
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda: (100, 1000))
    monkeypatch.setattr(torch.cuda, "memory_reserved", lambda: 800)
    monkeypatch.setattr(torch.cuda, "memory_allocated", lambda: 30)
    assert compiled.free_device_memory() == 870
