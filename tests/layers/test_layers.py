"""Every layer passes the shared check, and computes what it says."""

import keras
import numpy as np
import pytest
from helpers import full_strength
from keras import ops
from layers.layer_check import check_layer

from keras_indi import layers
from keras_indi.backend.activation import activate


def _random(*shape):
    return np.random.default_rng(1).standard_normal(shape).astype("float32")


def _times(*values):
    return np.array(values, "float32")


CASES = {
    "convolution": (layers.FastConv2D, {"filters": 4}, [_random(2, 5, 7, 3)]),
    "convolution_1x1": (
        layers.FastConv2D,
        {"filters": 4, "kernel_size": 1},
        [_random(2, 5, 7, 3)],
    ),
    "convolution_without_bias": (
        layers.FastConv2D,
        {"filters": 4, "use_bias": False, "activation": "relu"},
        [_random(2, 5, 7, 3)],
    ),
    "time_embedding": (layers.TimeEmbedding, {"units": 8}, [_times(0.1, 0.9)]),
    "residual_block": (
        layers.ResidualBlock,
        {"filters": 3},
        [_random(2, 5, 7, 3), _random(2, 8)],
    ),
    "residual_block_of_relu": (
        layers.ResidualBlock,
        {"filters": 3, "activation": "relu"},
        [_random(2, 5, 7, 3), _random(2, 8)],
    ),
    "residual_block_with_shortcut": (
        layers.ResidualBlock,
        {"filters": 4},
        [_random(2, 5, 7, 3), _random(2, 8)],
    ),
    "downsampling": (layers.DownsampleBlock, {"filters": 4}, [_random(2, 6, 10, 3)]),
    "upsampling": (layers.UpsampleBlock, {"filters": 4}, [_random(2, 5, 7, 3)]),
    "space_to_depth": (layers.SpaceToDepth2D, {"patch_size": 2}, [_random(2, 6, 4, 3)]),
    "depth_to_space": (
        layers.DepthToSpace2D,
        {"patch_size": 2},
        [_random(2, 3, 5, 12)],
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_shared_check(case):
    layer_class, config, inputs = CASES[case]
    check_layer(layer_class, config, *inputs)


def test_every_public_layer_is_checked():
    checked = {layer_class for layer_class, _, _ in CASES.values()}
    assert checked == {
        value for value in vars(layers).values() if isinstance(value, type)
    }


# === FastConv2D ===


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (5, 7), (8, 16)])
@pytest.mark.parametrize("kernel_size", [1, 3, 5])
@pytest.mark.parametrize("use_bias", [True, False])
def test_convolution_equals_keras_convolution(size, kernel_size, use_bias):
    inputs = _random(2, *size, 3)
    arguments = {"use_bias": use_bias, "activation": "silu"}
    ours = layers.FastConv2D(4, kernel_size, **arguments)
    keras_own = keras.layers.Conv2D(4, kernel_size, padding="same", **arguments)
    ours(inputs), keras_own(inputs)
    keras_own.set_weights(full_strength(ours).get_weights())
    np.testing.assert_allclose(
        ops.convert_to_numpy(ours(inputs)),
        ops.convert_to_numpy(keras_own(inputs)),
        atol=1e-5,
    )


def _step_of_training(layer, *inputs):
    """How one step of gradient descent towards 1 changes the layer's weights."""
    symbolic = [keras.Input(array.shape[1:]) for array in inputs]
    model = keras.Model(symbolic, layer(*symbolic))
    full_strength(layer)
    before = [ops.convert_to_numpy(w).copy() for w in layer.weights]
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=False)
    target = np.ones((*inputs[0].shape[:3], layer.filters), "float32")
    model.fit(list(inputs), target, verbose=0)
    return [ops.convert_to_numpy(w) - old for w, old in zip(layer.weights, before)]


def _assert_same_steps(found, expected, tolerance):
    for one, other in zip(found, expected, strict=True):
        assert np.max(np.abs(one - other)) < tolerance * np.max(np.abs(other))


# So many pixels that a sum over them in bfloat16 stops growing.
MANY_PIXELS = (2, 128, 128, 3)


@pytest.mark.parametrize("kernel_size", [1, 3])
@pytest.mark.parametrize(
    "dtype, tolerance", [("float32", 1e-4), ("mixed_bfloat16", 0.03)]
)
def test_convolution_learns_as_keras_convolution(kernel_size, dtype, tolerance):
    images = _random(*MANY_PIXELS)
    _assert_same_steps(
        _step_of_training(layers.FastConv2D(4, kernel_size, dtype=dtype), images),
        _step_of_training(keras.layers.Conv2D(4, kernel_size, padding="same"), images),
        tolerance,
    )


@pytest.mark.parametrize("dtype", ["float32", "bfloat16"])
@pytest.mark.parametrize("name", ["silu", "relu", "tanh"])
def test_activate_is_the_activation_and_has_its_gradient(name, dtype):
    activation = keras.activations.get(name)
    values = np.linspace(-9.0, 9.0, 257, dtype="float32")
    values = ops.cast(ops.cast(values, dtype), "float32")

    class Scaled(keras.layers.Layer):
        def __init__(self, function):
            super().__init__()
            self.function = function
            # One weight a value: its gradient is the function's.
            self.scale = self.add_weight((257,), "ones", "float32")

        def call(self, inputs):
            scaled = ops.cast(inputs * self.scale, dtype)
            return ops.cast(self.function(scaled), "float32")

    def results(function):
        layer = Scaled(function)
        outputs = ops.convert_to_numpy(layer(values[None]))[0]
        symbolic = keras.Input((257,))
        model = keras.Model(symbolic, layer(symbolic))
        model.compile(keras.optimizers.SGD(257.0), "mae", jit_compile=False)
        model.fit(values[None], np.full((1, 257), 1e3, "float32"), verbose=0)
        return outputs, ops.convert_to_numpy(layer.scale) - 1.0

    found = results(lambda features: activate(activation, features))
    with_float32 = results(lambda features: activation(ops.cast(features, "float32")))
    # Several roundings to the 8 bits of bfloat16.
    relative, absolute = {"float32": (1e-6, 1e-5), "bfloat16": (0.025, 0.04)}[dtype]
    for one, other in zip(found, with_float32):
        np.testing.assert_allclose(one, other, rtol=relative, atol=absolute)
    assert np.ptp(with_float32[1]) > 0.5


def test_residual_block_learns_in_bfloat16_as_in_float32():
    inputs = _random(*MANY_PIXELS), _random(2, 8)
    _assert_same_steps(
        _step_of_training(layers.ResidualBlock(4, dtype="mixed_bfloat16"), *inputs),
        _step_of_training(layers.ResidualBlock(4), *inputs),
        0.03,
    )


@pytest.mark.parametrize("kernel_size", [2, 4, (4, 4)])
def test_convolution_refuses_even_kernels(kernel_size):
    with pytest.raises(ValueError, match="must be odd. Received: kernel_size="):
        layers.FastConv2D(4, kernel_size)


@pytest.mark.parametrize("size", [0, -1, 2.5, "3", None])
def test_sizes_are_integers(size):
    with pytest.raises(ValueError, match="integer of at least 1. Received: kernel_s"):
        layers.FastConv2D(4, size)
    for patches in (layers.SpaceToDepth2D, layers.DepthToSpace2D):
        with pytest.raises(ValueError, match="integer of at least 1. Received: patch_"):
            patches(size)
    assert layers.FastConv2D(4, np.int64(3)).kernel_size == (3, 3)


@pytest.mark.parametrize("kernel_size", [(3, 5), (3, 3, 3)])
def test_convolution_refuses_kernels_that_are_not_square(kernel_size):
    with pytest.raises(ValueError, match="square. Received: kernel_size="):
        layers.FastConv2D(4, kernel_size)


@pytest.mark.parametrize(
    "argument",
    [
        {"strides": 2},
        {"padding": "valid"},
        {"data_format": "channels_first"},
        {"dilation_rate": (2, 2)},
        {"groups": 2},
    ],
    ids=str,
)
def test_convolution_refuses_what_it_would_ignore(argument):
    (name,) = argument
    with pytest.raises(ValueError, match=f"Conv2D.*Received: {name}="):
        layers.FastConv2D(4, **argument)
    layers.FastConv2D(4, strides=(1, 1), padding="same", groups=1)


# === TimeEmbedding ===


def test_time_embedding_equals_its_formula():
    embedding = layers.TimeEmbedding(8)
    times = _times(0.0, 0.25, 1.0)
    embedding(times)
    full_strength(embedding)
    frequencies = 1000.0 * 10000.0 ** -(np.arange(4) / 3)
    angles = times.astype("float64")[:, None] * frequencies
    x = np.concatenate([np.cos(angles), np.sin(angles)], axis=-1)
    kernels_and_biases = [np.asarray(w, "float64") for w in embedding.get_weights()]
    for kernel, bias in (kernels_and_biases[:2], kernels_and_biases[2:]):
        x = x @ kernel + bias
        x = x / (1 + np.exp(-x))
    np.testing.assert_allclose(ops.convert_to_numpy(embedding(times)), x, atol=1e-3)


def test_time_embedding_tells_close_times_apart_in_bfloat16():
    embedding = layers.TimeEmbedding(32, dtype="mixed_bfloat16")
    # In bfloat16 these are the same number.
    first, second = ops.convert_to_numpy(
        ops.cast(embedding(_times(0.5, 0.501)), "float32")
    )
    assert np.max(np.abs(first - second)) > 0.05 * np.max(np.abs(first))


@pytest.mark.parametrize("units", [0, 2, 7])
def test_time_embedding_refuses_units(units):
    with pytest.raises(ValueError, match="`units` must be .* Received: units="):
        layers.TimeEmbedding(units)


# === ResidualBlock ===


def test_residual_block_starts_as_the_identity():
    inputs = _random(2, 5, 7, 3)
    outputs = layers.ResidualBlock(3)(inputs, _random(2, 8))
    np.testing.assert_array_equal(ops.convert_to_numpy(outputs), inputs)


def test_residual_block_reaches_as_far_as_it_says():
    block = layers.ResidualBlock(3)
    inputs, embedding = _random(1, 11, 11, 3), _random(1, 8)
    block(inputs, embedding)
    full_strength(block)
    changed = inputs.copy()
    changed[0, 5, 5] += 1.0
    difference = ops.convert_to_numpy(
        block(changed, embedding) - block(inputs, embedding)
    )
    rows, columns = np.nonzero(np.abs(difference[0]).max(-1) > 0)
    reach = block.radius
    assert (rows.min(), rows.max()) == (5 - reach, 5 + reach)
    assert (columns.min(), columns.max()) == (5 - reach, 5 + reach)


def test_residual_block_depends_on_the_embedding():
    block = layers.ResidualBlock(3)
    inputs = _random(1, 5, 7, 3)
    block(inputs, _random(1, 8))
    full_strength(block)
    first, second = (
        ops.convert_to_numpy(block(inputs, factor * _random(1, 8)))
        for factor in (0.0, 1.0)
    )
    assert np.max(np.abs(first - second)) > 1e-2


# === DownsampleBlock, UpsampleBlock ===


def _as_identity(layer, channels):
    """Turns the layer's convolution into the identity, leaving the resampling."""
    kernel = np.zeros((3, 3, channels, channels), "float32")
    kernel[1, 1] = np.eye(channels)
    layer.convolution.set_weights([kernel, np.zeros(channels, "float32")])
    return layer


def test_downsampling_of_a_constant_is_that_constant():
    layer = layers.DownsampleBlock(3)
    inputs = np.full((2, 6, 10, 3), 0.7, "float32")
    layer(inputs)
    outputs = ops.convert_to_numpy(_as_identity(layer, 3)(inputs))
    np.testing.assert_allclose(outputs, np.full((2, 3, 5, 3), 0.7), rtol=1e-6)


def test_downsampling_takes_means_of_blocks():
    layer = layers.DownsampleBlock(3)
    inputs = _random(2, 6, 10, 3)
    layer(inputs)
    expected = inputs.reshape(2, 3, 2, 5, 2, 3).mean(axis=(2, 4))
    outputs = ops.convert_to_numpy(_as_identity(layer, 3)(inputs))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


def test_upsampling_repeats_pixels():
    layer = layers.UpsampleBlock(3)
    inputs = _random(2, 3, 5, 3)
    layer(inputs)
    expected = inputs.repeat(2, axis=1).repeat(2, axis=2)
    outputs = ops.convert_to_numpy(_as_identity(layer, 3)(inputs))
    np.testing.assert_allclose(outputs, expected, atol=1e-6)


@pytest.mark.parametrize("resampling", [layers.DownsampleBlock, layers.UpsampleBlock])
def test_resampling_then_convolving_is_keras_own(resampling):
    inputs = _random(2, 6, 10, 3)
    layer = resampling(4)
    layer(inputs)
    convolution = keras.layers.Conv2D(4, 3, padding="same")
    if resampling is layers.DownsampleBlock:
        expected = convolution(keras.layers.AveragePooling2D(2)(inputs))
        convolution.set_weights(full_strength(layer).convolution.get_weights())
        expected = convolution(keras.layers.AveragePooling2D(2)(inputs))
    else:
        convolution(inputs)
        convolution.set_weights(full_strength(layer).convolution.get_weights())
        expected = keras.layers.UpSampling2D(2)(convolution(inputs))
    np.testing.assert_allclose(
        ops.convert_to_numpy(layer(inputs)),
        ops.convert_to_numpy(expected),
        atol=1e-5,
    )


# === Patches ===


@pytest.mark.parametrize("patch_size", [1, 2, 3])
def test_a_patch_becomes_the_channels_of_one_pixel_and_back(patch_size):
    images = _random(2, 2 * patch_size, 3 * patch_size, 3)
    patches = layers.SpaceToDepth2D(patch_size)(images)
    pixel = ops.convert_to_numpy(patches)[1, 1, 2].reshape(patch_size, patch_size, 3)
    expected = images[1, patch_size:, 2 * patch_size :]
    np.testing.assert_array_equal(pixel, expected)
    again = layers.DepthToSpace2D(patch_size)(patches)
    np.testing.assert_array_equal(ops.convert_to_numpy(again), images)
