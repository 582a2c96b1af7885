"""The k-th pair of an evaluation has its own time and noise, whatever the batches."""

import subprocess
import sys
import textwrap

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, to_numpy

from keras_indi.models import ConditionalDDPM, InDI

MODELS = {
    "plain": lambda: InDI(small_network(), noise_schedule=0, seed=3),
    "noisy": lambda: InDI(small_network(), noise_schedule=0.1, seed=3),
    "ddpm": lambda: ConditionalDDPM(small_network(condition_on_degraded=True), seed=3),
}


@pytest.fixture(scope="module")
def data():
    return pairs(18, height=8, width=8)


@pytest.mark.parametrize("name", MODELS)
def test_losses_do_not_depend_on_the_batches(data, name):
    model = MODELS[name]()
    model.compile(metrics=["mse"])
    # Of 18 pairs the last batch is a part one for 4 and 16.
    found = [
        model.evaluate(*data, batch_size=size, verbose=0) for size in (1, 2, 4, 16, 16)
    ]
    np.testing.assert_allclose(found, [found[0]] * 5, rtol=1e-5)
    if keras.config.backend() != "torch":
        model.compile(metrics=["mse"], steps_per_execution=3)
        several = model.evaluate(*data, batch_size=4, verbose=0)
        np.testing.assert_allclose(several, found[0], rtol=1e-5)


def test_validation_in_a_fit_is_the_evaluation(data):
    model = MODELS["noisy"]()
    model.compile(keras.optimizers.SGD(0.0))
    expected = model.evaluate(*data, batch_size=1, verbose=0)
    history = model.fit(
        *data, batch_size=16, epochs=2, verbose=0, validation_data=data
    ).history
    np.testing.assert_allclose(history["val_loss"], [expected] * 2, rtol=1e-5)
    # Another order is another pairing of pairs with times and noise.
    other = model.evaluate(data[0][::-1], data[1][::-1], verbose=0)
    assert abs(other - expected) > 1e-3


def test_an_evaluation_draws_nothing(data):
    model = MODELS["noisy"]()
    model.compile(keras.optimizers.SGD(0.0))
    state = to_numpy(model.seed_generator.state)
    model.evaluate(*data, batch_size=4, verbose=0)
    np.testing.assert_array_equal(to_numpy(model.seed_generator.state), state)


def test_pairs_have_noise_and_times_of_their_own(data):
    model = MODELS["noisy"]()
    noise = to_numpy(model.training_noise((64, 8, 8, 3), draw=False))
    assert noise.std() == pytest.approx(1, abs=0.05)
    assert noise.mean() == pytest.approx(0, abs=0.05)
    correlations = np.corrcoef(noise.reshape(64, -1)) - np.eye(64)
    assert np.abs(correlations).max() < 0.4
    later = to_numpy(model.training_noise((4, 8, 8, 3), draw=False, first=60))
    np.testing.assert_array_equal(later, noise[60:])
    other = InDI(small_network(), seed=4).training_noise((64, 8, 8, 3), draw=False)
    assert np.abs(to_numpy(other)[0] - noise[0]).max() > 0.1
    inputs, _ = model.training_example(*data, draw=False, first=5)
    times = to_numpy(inputs["times"])
    assert len(np.unique(times)) == 18 and 0.4 < times.mean() < 0.6


TWO_DEVICES = """
    import sys
    sys.path.insert(0, "tests")
    import keras, numpy as np, tensorflow as tf
    cpus = tf.config.list_physical_devices("CPU")
    parts = [tf.config.LogicalDeviceConfiguration()] * 2
    tf.config.set_logical_device_configuration(cpus[0], parts)
    import keras_indi
    from helpers import pairs, small_network

    def model():
        model = keras_indi.InDI(small_network(), noise_schedule=0.1, seed=3)
        model.compile(keras.optimizers.SGD(0.0))
        return model

    data = pairs(18, height=8, width=8)
    alone = model().evaluate(*data, batch_size=4, verbose=0)
    with tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"]).scope():
        mirrored = model()
    found = [mirrored.evaluate(*data, batch_size=b, verbose=0) for b in (6, 4, 4)]
    print(alone, found)
    np.testing.assert_allclose(found, [alone] * 3, rtol=1e-5)
    print("same")
"""


@pytest.mark.slow
@pytest.mark.skipif(keras.config.backend() != "tensorflow", reason="TensorFlow's")
def test_replicas_share_the_pairs_of_one_evaluation(request):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(TWO_DEVICES)],
        capture_output=True,
        text=True,
        cwd=request.config.rootpath,
    )
    assert result.stdout.strip().endswith("same"), result.stdout + result.stderr
