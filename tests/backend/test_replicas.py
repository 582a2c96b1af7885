"""Replicas draw different times and noise, and one alone what it always drew."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from helpers import to_numpy

from keras_indi.backend import replicas

TWO_DEVICES = """
    import keras, numpy as np, tensorflow as tf
    cpus = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpus[0], parts)
    import keras_indi

    strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
    with strategy.scope():
        unet = keras_indi.UNetBackbone(
            base_channels=4, channel_multipliers=(1,), blocks_per_level=1
        )
        model = keras_indi.InDI(unet, noise_schedule=0.1, seed=0)
        model.compile(keras.optimizers.SGD(0.0))
    images = tf.fill((1, 8, 8, 3), 100.0)

    @tf.function
    def draws():
        def one():
            inputs, _ = model.training_example(images, images, draw=True)
            return inputs["times"], inputs["images"]
        return strategy.run(one)

    for _ in range(2):
        for drawn in draws():
            first, second = strategy.experimental_local_results(drawn)
            assert not np.allclose(first, second), (first, second)
    pairs = np.random.default_rng(0).uniform(0, 255, (2, 4, 8, 8, 3)).astype("float32")
    pairs = tuple(pairs)
    losses = model.fit(*pairs, batch_size=4, epochs=3, verbose=0).history["loss"]
    assert np.all(np.isfinite(losses)) and len(set(losses)) == 3
    # A dataset that is distributed already.
    batches = tf.data.Dataset.from_tensor_slices(pairs).batch(4)
    batches = strategy.experimental_distribute_dataset(batches)
    history = model.fit(batches, validation_data=batches, verbose=0).history
    assert np.isfinite(history["loss"] + history["val_loss"]).all()
    print("differ")
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow's")
def test_replicas_of_a_mirrored_strategy_draw_differently():
    script = textwrap.dedent(TWO_DEVICES)
    result = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True
    )
    assert result.stdout.strip().endswith("differ"), result.stderr


def test_one_replica_draws_as_keras_does():
    assert replicas.replica_index() == 0
    ours = replicas.ReplicaSeedGenerator(5)
    keras_own = keras.random.SeedGenerator(5)
    for _ in range(3):
        found = keras.random.normal((4,), seed=ours)
        expected = keras.random.normal((4,), seed=keras_own)
        np.testing.assert_array_equal(to_numpy(found), to_numpy(expected))


@pytest.mark.parametrize("seed", [2**31, 2**32 - 1, 2**33 + 5, 2**70, np.int64(5)])
def test_seeds_of_any_size_draw(seed):
    generator = replicas.ReplicaSeedGenerator(seed)
    first, second = (to_numpy(keras.random.normal((9,), seed=generator)) for _ in "12")
    assert np.abs(first - second).min() > 0
    generator = replicas.ReplicaSeedGenerator(int(seed) % 2**32)
    again = to_numpy(keras.random.normal((9,), seed=generator))
    np.testing.assert_array_equal(again, first)


def test_a_state_has_the_same_bits_on_all_backends():
    saved = np.array([2**32 - 3, 7])
    for dtype in ("uint32", "int64", "int32"):  # of JAX, TensorFlow and PyTorch
        bits = replicas.state_bits(saved.astype(dtype))
        np.testing.assert_array_equal(bits.view("uint32"), saved)


def test_each_replica_has_seeds_of_its_own(monkeypatch):
    def draws(index):
        monkeypatch.setattr(replicas, "replica_index", lambda: index)
        generator = replicas.ReplicaSeedGenerator(5)
        return [to_numpy(keras.random.normal((4,), seed=generator)) for _ in range(3)]

    found = np.reshape([draws(index) for index in range(4)], (12, 4))
    assert len(np.unique(np.round(found, 5), axis=0)) == 12
    np.testing.assert_array_equal(found[3:6], draws(1))


@pytest.mark.skipif(keras.config.backend() != "torch", reason="PyTorch's")
def test_the_rank_of_a_process_group_is_the_replica(tmp_path):
    from torch import distributed

    store = distributed.FileStore(str(tmp_path / "store"), 1)
    distributed.init_process_group("gloo", store=store, rank=0, world_size=1)
    try:
        assert replicas.replica_index() == 0
        distributed.get_rank, kept = lambda: 3, distributed.get_rank
        try:
            assert replicas.replica_index() == 3
        finally:
            distributed.get_rank = kept
    finally:
        distributed.destroy_process_group()
