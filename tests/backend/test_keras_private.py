"""Layers that replace others, and weights of layers whose classes were renamed."""

import h5py
import keras
import numpy as np
import pytest

from keras_indi.backend.keras_private import (
    at_new_path,
    at_old_path,
    averages_are_swapped_in,
    begin_at_epoch,
    forget_layer,
    variables_of,
    weights_in_memory,
)

RENAMED = {"Convolution2D": "FastConv2D", "OldBlock": "NewerBlock"}


def test_a_layer_takes_the_place_of_another_in_a_built_model():
    class Around(keras.Model):
        def __init__(self, inner):
            super().__init__()
            self.inner = inner

        def build(self, shape):
            self.inner.build(shape)

        def call(self, inputs):
            return self.inner(inputs)

    model = Around(keras.layers.Dense(2))
    model.build((None, 3))
    old, new = model.inner, keras.layers.Dense(4)
    new.build((None, 3))
    forget_layer(model, old)
    model.inner = new
    assert model.layers == [new]
    assert len(model.weights) == 2
    assert model(np.ones((1, 3), "float32")).shape == (1, 4)


@pytest.mark.parametrize(
    "path, expected",
    [
        ("layers/convolution2d/vars/0", "layers/fast_conv2d/vars/0"),
        ("layers/convolution2d_12/vars", "layers/fast_conv2d_12/vars"),
        ("layers/old_block_1/convolution", "layers/newer_block_1/convolution"),
        ("layers/conv2d_1/vars/1", "layers/conv2d_1/vars/1"),
        ("layers/older_block_1", "layers/older_block_1"),
        ("", ""),
    ],
)
def test_paths_are_written_anew(path, expected):
    assert at_new_path(path, RENAMED) == expected


def test_weights_of_a_renamed_class_are_found_in_a_file(tmp_path):
    class OldBlock(keras.layers.Dense):
        pass

    class NewerBlock(keras.layers.Dense):
        def load_own_variables(self, store):
            super().load_own_variables(at_old_path(store, RENAMED))

    def network(layer_class):
        return keras.Sequential([keras.Input((3,)), layer_class(3), layer_class(2)])

    path = tmp_path / "a.weights.h5"
    for saved, loaded in ((OldBlock, NewerBlock), (NewerBlock, NewerBlock)):
        old, new = network(saved), network(loaded)
        old.save_weights(path)
        new.load_weights(path)
        for one, other in zip(old.get_weights(), new.get_weights()):
            np.testing.assert_array_equal(one, other)


def _content(path):
    found = []
    with h5py.File(path) as file:
        file.visititems(
            lambda name, entry: found.append(
                (name, dict(entry.attrs), getattr(entry, "shape", None))
            )
        )
    return found


def test_weights_in_memory_are_those_that_keras_saves(tmp_path):
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3)])
    model.save_weights(tmp_path / "model.weights.h5")
    (tmp_path / "held.weights.h5").write_bytes(weights_in_memory(model).getvalue())
    assert _content(tmp_path / "held.weights.h5") == _content(
        tmp_path / "model.weights.h5"
    )
    kernel = model.get_weights()[0]
    model.layers[0].kernel.assign(0 * kernel)
    model.load_weights(tmp_path / "held.weights.h5")
    np.testing.assert_array_equal(model.get_weights()[0], kernel)


def test_a_callback_lets_a_fit_begin_later_and_sees_swapped_averages():
    seen = []
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)

    class Later(keras.callbacks.Callback):
        def on_train_begin(self, logs=None):
            begin_at_epoch(self.model, 2)

        def on_epoch_begin(self, epoch, logs=None):
            seen.append((epoch, averages_are_swapped_in([swap])))

        def on_epoch_end(self, epoch, logs=None):
            seen.append((epoch, averages_are_swapped_in([swap])))

    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(use_ema=True), "mse")
    data = np.ones((4, 3), "float32"), np.ones((4, 1), "float32")
    model.fit(*data, epochs=4, callbacks=[swap, Later()], verbose=0)
    assert seen[0::2] == [(2, False), (3, False)]
    assert seen[1::2] == [(2, True), (3, True)]
    assert not averages_are_swapped_in([Later()])


def test_an_optimizer_knows_the_variables_that_it_was_built_for():
    optimizer, variable = keras.optimizers.SGD(), keras.Variable([1.0])
    assert variables_of(optimizer) == []
    optimizer.build([variable])
    (found,) = variables_of(optimizer)
    assert found is variable
