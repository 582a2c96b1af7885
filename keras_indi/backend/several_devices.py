"""Training and inference on several devices, which share each batch."""

import contextlib
from collections.abc import Callable, Sequence
from typing import Any

import keras

from keras_indi.backend import processes


def all_devices() -> contextlib.AbstractContextManager[Any]:
    """Return the context for building a model that trains on all devices.

    With JAX, this activates `keras.distribution.DataParallel` permanently, over the
    devices of all processes in Keras's environment variables (see `processes.begin`).
    With TensorFlow, the context is the scope of a `MirroredStrategy`.

    Returns:
        A context manager.

    Raises:
        ValueError: With PyTorch on several devices, which Keras does not support, and
            as for `processes.begin`.
    """
    backend = keras.config.backend()
    processes.begin()
    if backend == "tensorflow":
        import tensorflow as tf

        found = tf.config.list_logical_devices
        names = [device.name for device in found("GPU") or found()]
        if len(names) > 1:
            return tf.distribute.MirroredStrategy(names).scope()
    elif backend == "jax":
        if len(keras.distribution.list_devices()) > 1:
            # The pairs already read only the part of their process.
            distribution = keras.distribution.DataParallel(auto_shard_dataset=False)
            keras.distribution.set_distribution(distribution)
    elif backend == "torch":
        import torch

        if torch.cuda.device_count() > 1:
            raise ValueError(
                "On several devices Keras trains with JAX or TensorFlow; for PyTorch "
                "see `examples/several_processes_torch.py`. Received: "
                f"devices='all' with {torch.cuda.device_count()} GPUs"
            )
    return contextlib.nullcontext()


def num_devices(variables: Sequence[keras.Variable]) -> int:
    """Return the number of devices that share an inference batch evenly.

    Args:
        variables: List of the network's `keras.Variable`.

    Returns:
        Int: with TensorFlow, the replicas of the `tf.distribute` strategy in whose
        scope the variables were created; with JAX, the replicas of the model under the
        active `keras.distribution`, counting only those of this process; else 1.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        strategy = strategy_of(variables)
        return 1 if strategy is None else strategy.num_replicas_in_sync
    distribution = keras.distribution.distribution()
    if backend != "jax" or distribution is None:
        return 1
    if processes.process_count() > 1:
        import jax

        return jax.local_device_count()
    return distribution.num_model_replicas


def batch_divisor() -> int:
    """Return the number of devices in all processes that share a training batch.

    Returns:
        Int: with JAX, the replicas of the model under the active `keras.distribution`;
        with PyTorch, the processes of the process group; else 1, because a model knows
        its replicas in TensorFlow (`replicas.num_replicas`).
    """
    distribution = keras.distribution.distribution()
    if keras.config.backend() == "jax" and distribution is not None:
        return distribution.num_model_replicas
    return processes.process_count()


def check_divides(batch_size: int, divisor: int) -> None:
    """Raise a ValueError unless the devices can share a batch evenly."""
    if batch_size % divisor:
        above = batch_size + -batch_size % divisor
        sizes = [str(size) for size in (above - divisor, above) if size]
        raise ValueError(
            f"`batch_size` must be a multiple of {divisor}, the devices that share a "
            f"batch: {' or '.join(sizes)}. Received: batch_size={batch_size}"
        )


def strategy_of(variables: Sequence[keras.Variable]) -> Any:
    """Return the `tf.distribute` strategy of several replicas that holds the variables.

    Returns:
        The strategy, or `None`.
    """
    for variable in variables[:1]:
        strategy = getattr(variable.value, "distribute_strategy", None)
        if strategy is not None and strategy.num_replicas_in_sync > 1:
            return strategy
    return None


def on_replicas(function: Callable[..., Any], strategy: Any) -> Callable[..., Any]:
    """Run a compiled function on all replicas of a `tf.distribute` strategy.

    Args:
        function: `tf.function` of tensors and nested tuples of them. The first argument
            is a batch; tensors of the same length are batches too.
        strategy: The strategy. Its number of replicas must divide the batch size.

    Returns:
        A function with the same arguments and results.
    """
    import tensorflow as tf

    number = strategy.num_replicas_in_sync

    def on_one(*args):
        # As on one device: all sizes share one compilation.
        return function.get_concrete_function(*specs_of_any_size(args))(*args)

    run = tf.function(lambda args: strategy.run(on_one, args), reduce_retracing=True)

    def is_batch(tensor, size):
        return tensor.shape.rank and tensor.shape[0] == size

    def divided(tensor, size):
        parts = [tensor] * number
        if is_batch(tensor, size):
            parts = tf.split(tensor, number)
        return strategy.experimental_distribute_values_from_function(
            lambda context: parts[context.replica_id_in_sync_group]
        )

    def joined(value, size):
        parts = strategy.experimental_local_results(value)
        return tf.concat(parts, 0) if is_batch(parts[0], size) else parts[0]

    def call(*args):
        args = keras.tree.map_structure(tf.convert_to_tensor, args)
        size = args[0].shape[0]
        args = keras.tree.map_structure(lambda leaf: divided(leaf, size), args)
        results = run(args)
        return keras.tree.map_structure(
            lambda leaf: joined(leaf, size // number), results
        )

    return call


def specs_of_any_size(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Return TensorFlow specifications of any size, with the given channels.

    Args:
        args: Tuple of tensors and nested tuples of them. The last axis of tensors with
            several axes holds the channels. Other values are unchanged.
    """
    import tensorflow as tf

    def spec(value):
        if not hasattr(value, "shape"):
            return value
        sizes = [None for _ in value.shape]
        if len(sizes) > 1:
            sizes[-1] = value.shape[-1]
        return tf.TensorSpec(sizes, value.dtype)

    return tf.nest.map_structure(spec, args)


def place(
    values: Sequence[Any], args: tuple[Any, ...]
) -> tuple[Sequence[Any], tuple[Any, ...]]:
    """Divide the batches in the arguments of a function compiled by JAX.

    Args:
        values: List of the values of variables.
        args: Tuple of tensors and nested tuples of them. The first is a batch; tensors
            of the same length are batches too.

    Returns:
        Pair of `values` and `args`. Under a `keras.distribution` whose replicas divide
        the batch, each replica holds a part of it. In a program of several processes,
        everything is on the devices of this process.

    Raises:
        ValueError: If the weights are divided among processes.
    """
    distribution = keras.distribution.distribution()
    if distribution is None:
        return values, args
    if processes.process_count() > 1:
        return _place_in_own_process(values, args)

    def placed(leaf):
        layout = distribution.get_data_layout(leaf.shape)
        return keras.distribution.distribute_tensor(leaf, layout)

    return values, _divided(args, distribution.num_model_replicas, placed)


def _divided(args, number, placed):
    size = args[0].shape[0]
    if size % number:
        return args
    return keras.tree.map_structure(
        lambda leaf: placed(leaf) if leaf.shape[:1] == (size,) else leaf, args
    )


def _place_in_own_process(values, args):
    import jax

    sharding = jax.sharding
    mesh = sharding.Mesh(jax.local_devices(), ("batch",))
    everywhere = sharding.NamedSharding(mesh, sharding.PartitionSpec())
    by_batch = sharding.NamedSharding(mesh, sharding.PartitionSpec("batch"))

    def local(value):
        if not value.is_fully_replicated:
            raise ValueError(
                "In a program of several processes an image is restored by one of "
                "them, which must hold all weights: with "
                "`keras.distribution.DataParallel`, or after loading the saved model "
                "in a program of one process. Received: weights divided among "
                f"processes, keras.distribution={keras.distribution.distribution()!r}"
            )
        parts = [shard.data for shard in value.addressable_shards]
        return jax.make_array_from_single_device_arrays(value.shape, everywhere, parts)

    args = keras.tree.map_structure(lambda leaf: jax.device_put(leaf, everywhere), args)
    args = _divided(args, mesh.size, lambda leaf: jax.device_put(leaf, by_batch))
    return [local(value) for value in values], args
