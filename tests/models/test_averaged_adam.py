import keras
import numpy as np
import pytest
from helpers import to_numpy

from keras_indi.models import AveragedAdam


def average_after(optimizer, steps):
    """The average of one weight and its values, over some optimizer steps."""
    weight = keras.Variable(np.array([5.0], "float32"))
    optimizer.build([weight])
    values = []
    for step in range(steps):
        gradient = keras.ops.convert_to_tensor([1.0 + step % 3])
        optimizer.apply([gradient], [weight])
        values.append(float(to_numpy(weight)[0]))
    optimizer.finalize_variable_values([weight])
    return float(to_numpy(weight)[0]), values


@pytest.mark.parametrize("momentum", [0.5, 0.9999])
def test_the_average_follows_the_warm_up(momentum):
    found, values = average_after(AveragedAdam(0.1, ema_momentum=momentum), 30)
    average = values[0]
    for step, value in enumerate(values[1:], start=1):
        m = min(momentum, (1 + step) / (10 + step))
        average = m * average + (1 - m) * value
    assert found == pytest.approx(average, rel=1e-5)
    assert abs(found - values[-1]) > 1e-3


def test_momentum_rises_to_the_one_asked_for():
    optimizer = AveragedAdam()
    assert float(to_numpy(optimizer.ema_momentum)) == pytest.approx(0.1)
    for iterations, momentum in [(90, 0.91), (10**6, 0.9999)]:
        optimizer.iterations.assign(iterations)
        assert float(to_numpy(optimizer.ema_momentum)) == pytest.approx(momentum)


def test_steps_are_adams():
    _, values = average_after(AveragedAdam(0.1), 10)
    _, expected = average_after(keras.optimizers.Adam(0.1), 10)
    np.testing.assert_allclose(values, expected, rtol=1e-6)


def test_defaults_are_the_papers_and_survive_the_config():
    optimizer = AveragedAdam()
    config = optimizer.get_config()
    assert config["ema_momentum"] == 0.9999 and config["use_ema"] is True
    assert config["learning_rate"] == pytest.approx(1e-4)
    optimizer = AveragedAdam(3e-4, ema_momentum=0.99, clipnorm=1.0)
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(optimizer)
    )
    assert isinstance(again, AveragedAdam)
    assert again.get_config() == optimizer.get_config()


@pytest.mark.parametrize("momentum", [-0.1, 1.5])
def test_bad_momentum(momentum):
    with pytest.raises(ValueError, match="Received: ema_momentum="):
        AveragedAdam(ema_momentum=momentum)
