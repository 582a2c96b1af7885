"""What several devices or processes cannot train is refused, with what they can."""

import textwrap

import keras
import numpy as np
import pytest
from helpers import pairs, run_on_devices, small_network

import keras_indi
from keras_indi.backend import processes, several_devices

backend = keras.config.backend()


@pytest.fixture
def model():
    model = keras_indi.InDI(small_network(), seed=3)
    model.compile(keras.optimizers.SGD(0.0))
    return model


@pytest.mark.parametrize(
    "number, batch_size, message",
    [
        (8, 6, "multiple of 4.*: 4 or 8. Received: batch_size=6"),
        (6, None, "multiple of 4.*: 4 or 8. Received: batch_size=6"),
        (10, 4, "number of pairs .* leave out 2.* Received: 10 pairs"),
    ],
)
def test_batches_that_devices_cannot_share(
    model, monkeypatch, number, batch_size, message
):
    monkeypatch.setattr(several_devices, "batch_divisor", lambda: 4)
    with pytest.raises(ValueError, match=message):
        model.fit(*pairs(number), batch_size=batch_size)


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"validation_data": pairs(9)}, "validation pairs .* leave out 1.* 9 vali"),
        ({"validation_data": pairs(3)}, "multiple of 4.* batch_size=3"),
        ({"validation_split": 0.3}, "number of pairs .* Received: 11 pairs"),
        ({"validation_split": 0.25, "validation_batch_size": 3}, "batch_size=3"),
    ],
)
def test_validation_that_devices_cannot_share(model, monkeypatch, arguments, message):
    monkeypatch.setattr(several_devices, "batch_divisor", lambda: 4)
    with pytest.raises(ValueError, match=message):
        model.fit(*pairs(16), batch_size=4, **arguments)


def test_evaluation_that_devices_cannot_share(model, monkeypatch):
    monkeypatch.setattr(several_devices, "batch_divisor", lambda: 4)
    with pytest.raises(ValueError, match="validation pairs .* leave out 1.* 9 vali"):
        model.evaluate(*pairs(9), batch_size=4)


def test_pairs_that_all_processes_would_read(model, monkeypatch):
    images = list(np.zeros((4, 8, 8, 3), "uint8"))
    read = keras_indi.data.make_pairs(images, _same, crop_size=8, batch_size=2)
    monkeypatch.setattr(processes, "process_count", lambda: 2)
    with pytest.raises(ValueError, match=r"2 processes .* shard=\(0, 1\)"):
        model.fit(read)


def _same(image, generator):
    return image


@pytest.mark.skipif(backend != "jax", reason="JAX's processes")
def test_predict_in_several_processes_says_what_works(model, monkeypatch):
    monkeypatch.setattr(processes, "process_count", lambda: 2)
    with pytest.raises(ValueError, match="Use `restore`.* Received: 2 processes"):
        model.predict(pairs(2)[0])


@pytest.mark.slow
@pytest.mark.skipif(backend != "tensorflow", reason="TensorFlow's")
def test_a_strategy_that_keras_cannot_train_under():
    script = """
        import numpy as np
        import keras_indi
        from helpers import small_network

        strategy = tf.distribute.MultiWorkerMirroredStrategy()
        with strategy.scope():
            model = keras_indi.InDI(small_network())
            model.compile()
        images = np.zeros((2, 8, 8, 3), "float32")
        try:
            model.fit(images, images, verbose=0)
        except ValueError as error:
            print(error)
    """
    found = run_on_devices(2, textwrap.dedent(script))
    assert "does not support training under `MultiWorkerMirroredStrategy`" in found


@pytest.mark.slow
@pytest.mark.skipif(backend != "tensorflow", reason="TensorFlow's")
def test_what_replicas_cannot_share_is_refused_before_training():
    script = """
        import keras
        import numpy as np
        import keras_indi
        from helpers import pairs, small_network

        def build():
            model = keras_indi.InDI(small_network(), seed=3)
            model.compile("sgd")
            return model

        model = begin(build)
        for number, held_out in ((6, 6), (5, 6), (6, 5), (6, 7)):
            pair, validated = pairs(number), pairs(held_out)
            before = model.get_weights()
            try:
                model.fit(*pair, batch_size=4, validation_data=validated, verbose=0)
            except ValueError as error:
                print(error)
                for one, other in zip(before, model.get_weights()):
                    np.testing.assert_array_equal(one, other)
            else:
                print("trained")
        for number in 6, 7, 5:
            try:
                model.evaluate(*pairs(number), batch_size=4, verbose=0)
            except ValueError as error:
                print(error)
            else:
                print("evaluated")
        with model.distribute_strategy.scope():
            model.compile(keras.optimizers.SGD(gradient_accumulation_steps=2))
        try:
            model.fit(*pairs(4), batch_size=4, verbose=0)
        except ValueError as error:
            print(error)
    """
    found = run_on_devices(2, textwrap.dedent(script)).strip().splitlines()[-8:]
    assert found[4] == found[5] == "evaluated"
    assert found[6].endswith("Received: 5 validation pairs")
    assert found[7].endswith("gradient_accumulation_steps=2, 2 replicas")
    assert found[0] == found[3] == "trained"
    assert found[1].endswith("Received: 5 pairs")
    assert found[2].endswith("Received: 5 validation pairs")
