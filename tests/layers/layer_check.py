"""What every layer must pass, whatever it computes."""

import keras
import numpy as np
from helpers import full_strength
from keras import ops


def check_layer(layer_class, config, *inputs):
    """Runs all checks on `layer_class(**config)`.

    Args:
        layer_class: The class.
        config: Dict, arguments of its constructor.
        *inputs: float32 arrays, the arguments of its call.
    """
    _check_config(layer_class, config)
    _check_shapes(layer_class, config, inputs)
    _check_training(layer_class, config, inputs)
    for policy in ("mixed_bfloat16", "mixed_float16"):
        _check_mixed_precision(layer_class, config, inputs, policy)


def _check_config(layer_class, config):
    layer = layer_class(**config, name="checked", dtype="mixed_bfloat16")
    again = layer_class.from_config(layer.get_config())
    assert again.get_config() == layer.get_config()
    assert config.items() <= layer.get_config().items() or "kernel_size" in config
    assert (again.name, again.compute_dtype) == ("checked", "bfloat16")
    # By its registered name alone, as in a saved file.
    saved = keras.saving.serialize_keras_object(layer)
    again = keras.saving.deserialize_keras_object(saved)
    assert type(again) is layer_class
    assert again.get_config() == layer.get_config()


def _check_shapes(layer_class, config, inputs):
    layer = layer_class(**config)
    symbolic = layer(*[keras.Input(batch_shape=x.shape) for x in inputs])
    eager = layer(*[ops.convert_to_tensor(x) for x in inputs])
    assert symbolic.shape == tuple(eager.shape)
    assert symbolic.dtype == keras.backend.standardize_dtype(eager.dtype)
    # Height, width and batch may be unknown; channels are known.
    free = layer(*[_free_input(x) for x in inputs])
    assert len(free.shape) == len(symbolic.shape)
    assert free.shape[-1] == symbolic.shape[-1]
    assert all(size is None for size in free.shape[:-1])


def _free_input(array):
    return keras.Input((None,) * (array.ndim - 2) + array.shape[1:][-1:])


def _check_training(layer_class, config, inputs):
    """One step of fit changes every weight, so every weight has a gradient.

    The same gradient under XLA, where the backend has it.
    """
    plain = _trained_weights(layer_class, config, inputs, jit_compile=False)
    if plain and keras.config.backend() != "torch":
        compiled = _trained_weights(layer_class, config, inputs, jit_compile=True)
        for one, other in zip(compiled, plain, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)


def _trained_weights(layer_class, config, inputs, jit_compile):
    layer = layer_class(**config)
    symbolic = [_free_input(x) for x in inputs]
    model = keras.Model(symbolic, layer(*symbolic))
    full_strength(layer)
    before = [ops.convert_to_numpy(w).copy() for w in layer.trainable_weights]
    outputs = ops.convert_to_numpy(layer(*inputs))
    assert len(before) == len(layer.weights)
    if not before:  # a layer without weights
        return []
    model.compile(keras.optimizers.SGD(1.0), "mse", jit_compile=jit_compile)
    model.fit(
        list(inputs), outputs + 1.0, batch_size=len(inputs[0]), epochs=1, verbose=0
    )
    trained = [ops.convert_to_numpy(w) for w in layer.trainable_weights]
    for weight, new, old in zip(layer.trainable_weights, trained, before, strict=True):
        assert np.isfinite(new).all(), weight.path
        assert not np.array_equal(new, old), weight.path
    return trained


def _check_mixed_precision(layer_class, config, inputs, policy):
    layer = layer_class(**config, dtype=policy)
    layer(*inputs)
    full_strength(layer)
    outputs = layer(*inputs)
    dtype = policy.removeprefix("mixed_")
    assert keras.backend.standardize_dtype(outputs.dtype) == dtype
    assert all(w.dtype == "float32" for w in layer.weights)
    outputs = ops.convert_to_numpy(ops.cast(outputs, "float32"))
    assert np.isfinite(outputs).all()
    full = layer_class(**config)
    full(*inputs)
    expected = ops.convert_to_numpy(full_strength(full)(*inputs))
    # Rounding alone sets them apart.
    assert np.max(np.abs(outputs - expected)) < 0.05 * np.max(np.abs(expected))
