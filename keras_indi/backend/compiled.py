"""Compilation of pure functions by the backend in use, and its devices."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_indi.backend import several_devices
from keras_indi.backend.supported import check_supported

UNKNOWN_DEVICE_MEMORY = 4 * 2**30


def default_jit_compile() -> bool | str:
    """Return the value of `jit_compile="auto"`: XLA, except for TensorFlow on a CPU.

    On a CPU, XLA trains convolutions slower than TensorFlow's own kernels.

    Returns:
        `"auto"`, Keras's own choice, or `False`.
    """
    if keras.config.backend() == "tensorflow" and not _tensorflow_accelerators():
        return False
    return "auto"


def compile_function(
    function: Callable[..., Any], variables: Sequence[keras.Variable]
) -> Callable[..., Any]:
    """Compile a pure function for inference, once per shape of its arguments.

    Batches are divided among the devices counted by `several_devices.num_devices`.

    Args:
        function: Function of tensors (and nested tuples of them) that returns tensors
            and reads only the variables in `variables`. Its first argument is a batch.
            It must not change captured objects.
        variables: List of `keras.Variable`. Their values are read at each call, so a
            compiled function uses new weights.

    Returns:
        A function with the same arguments and results.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        return _compile_tensorflow(function, variables)
    if backend == "jax":
        import jax

        @jax.jit
        def stateless(values, *args):
            with keras.StatelessScope(state_mapping=zip(variables, values)):
                return function(*args)

        def call(*args):
            values, args = several_devices.place([v.value for v in variables], args)
            return stateless(values, *args)

        return call
    if backend == "torch":
        import torch

        return torch.inference_mode()(function)
    return function


def _compile_tensorflow(function, variables):
    """Compile once for all sizes, including the first.

    By default, TensorFlow compiles the first size alone, and later sizes together.
    Their results differ by rounding, in bfloat16 by a third of a grey level, so they
    would depend on the order of the calls.
    """
    import tensorflow as tf

    compiled = tf.function(
        function,
        reduce_retracing=True,
        jit_compile=bool(_tensorflow_accelerators()),
    )
    strategy = several_devices.strategy_of(variables)
    if strategy is not None:
        return several_devices.on_replicas(compiled, strategy)
    seen = set()

    def call(*args):
        specs = several_devices.specs_of_any_size(args)
        if (key := repr(specs)) not in seen:
            # A network of fixed size cannot be: it is compiled for its size.
            with contextlib.suppress(Exception):
                compiled.get_concrete_function(*specs)
            seen.add(key)  # now, so that no other thread compiles its own size first
        try:
            return compiled(*args)
        except tf.errors.InvalidArgumentError:
            # With the actual sizes, shape checks raise clear errors.
            tf.function(function).get_concrete_function(*args)
            raise

    return call


def wait_for(tensor: Any) -> None:
    """Wait until a tensor is computed, on a backend that runs ahead of its device.

    Only JAX does. Without waiting, progress is unknown and interrupts are not noticed.

    Args:
        tensor: Tensor.
    """
    if keras.config.backend() == "jax":
        import jax

        jax.block_until_ready(tensor)


def compiles_each_shape() -> bool:
    """Return whether each new shape of the arguments requires a compilation.

    TensorFlow without XLA compiles once for all shapes; PyTorch compiles nothing.
    """
    backend = keras.config.backend()
    return backend == "jax" or (
        backend == "tensorflow" and bool(_tensorflow_accelerators())
    )


def gains_from_batches() -> bool:
    """Return whether images are restored faster in batches of few shapes.

    They are on an accelerator, which single small images do not keep busy, and if each
    shape requires a compilation. Otherwise single images of any size are as fast.
    """
    return compiles_each_shape() or free_device_memory() is not None


def free_device_memory() -> int | None:
    """Return the free bytes of the accelerator in use, or `None` on a CPU.

    TensorFlow does not report them; `UNKNOWN_DEVICE_MEMORY` is assumed.
    """
    backend = keras.config.backend()
    if backend == "tensorflow" and _tensorflow_accelerators():
        return UNKNOWN_DEVICE_MEMORY
    if backend == "jax":
        import jax

        device = jax.local_devices()[0]
        if device.platform != "cpu":
            stats = device.memory_stats() or {}
            limit = stats.get("bytes_limit", UNKNOWN_DEVICE_MEMORY)
            return limit - stats.get("bytes_in_use", 0)
    if backend == "torch":
        import torch

        if torch.cuda.is_available():
            # PyTorch keeps what it has freed, for itself.
            kept = torch.cuda.memory_reserved() - torch.cuda.memory_allocated()
            return torch.cuda.mem_get_info()[0] + kept
    return None


def _tensorflow_accelerators():
    import tensorflow as tf

    return tf.config.list_physical_devices("GPU") + tf.config.list_physical_devices(
        "TPU"
    )


def devices() -> list[str]:
    """List the devices of the backend.

    Returns:
        List of strings such as `"cpu:0"` and `"gpu:0"`, accelerators first.

    Raises:
        ValueError: If the backend is not supported.
    """
    check_supported()
    backend = keras.config.backend()
    if backend == "torch":
        import torch

        names = [f"gpu:{index}" for index in range(torch.cuda.device_count())]
        if torch.backends.mps.is_available():
            names.append("mps:0")
        return [*names, "cpu:0"]
    names = keras.distribution.list_devices()
    if backend == "jax" and not any(name.startswith("cpu") for name in names):
        names = [*names, "cpu:0"]
    return sorted(names, key=lambda name: name.startswith("cpu"))
