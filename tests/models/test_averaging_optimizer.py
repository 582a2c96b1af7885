"""Averages that warm up: of any optimizer, and of updates alone."""

import warnings

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, to_numpy

from keras_indi.models import AveragedAdam, AveragedMuon, InDI

EMA = {"use_ema": True, "ema_momentum": 0.99}
OPTIMIZERS = {
    "AdamW": keras.optimizers.AdamW,
    "Lion": keras.optimizers.Lion,
    "Muon": keras.optimizers.Muon,
    "SGD": keras.optimizers.SGD,
}
QUIET = {"verbose": 0, "shuffle": False}


@keras.saving.register_keras_serializable(package="tests")
class OwnOptimizer(keras.optimizers.SGD):
    """An optimizer of a user, under a registered name."""


@pytest.fixture(scope="module")
def data():
    return pairs(8, height=8, width=8)


def compiled(optimizer):
    model = InDI(small_network(), seed=3)
    model.compile(optimizer)
    return model


def weights_of(model):
    return [to_numpy(weight) for weight in model.backbone.weights]


def fitted(model, data, steps):
    """The weights after each step, of one batch an epoch; the model ends averaged."""
    values = []
    record = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: values.append(weights_of(model))
    )
    model.fit(*data, batch_size=8, epochs=steps, callbacks=[record], **QUIET)
    return values


def average_of(values, momentum):
    average = values[0]
    for count, weights in enumerate(values[1:], start=1):
        m = min(momentum, (1 + count) / (10 + count))
        average = [m * a + (1 - m) * w for a, w in zip(average, weights)]
    return average


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_the_average_of_any_optimizer_warms_up(data, name):
    optimizer = OPTIMIZERS[name](1e-2, **EMA)
    model = compiled(optimizer)
    assert model.optimizer is optimizer
    values = fitted(model, data, 6)
    expected = average_of(values, EMA["ema_momentum"])
    for found, value, last in zip(weights_of(model), expected, values[-1]):
        np.testing.assert_allclose(found, value, atol=1e-5)
        assert np.abs(found - last).max() > 1e-5


def test_the_steps_are_the_optimizers_own(data):
    plain, averaging = (
        fitted(compiled(keras.optimizers.AdamW(1e-2, **arguments)), data, 3)
        for arguments in ({}, EMA)
    )
    for first, second in zip(plain[-1], averaging[-1]):
        np.testing.assert_allclose(first, second, atol=1e-6)


@pytest.mark.parametrize(
    "optimizer", [keras.optimizers.Lion, OwnOptimizer, AveragedAdam]
)
def test_a_saved_model_goes_on_averaging(data, tmp_path, optimizer):
    whole, parts = (compiled(optimizer(1e-3, **EMA)) for _ in range(2))
    path = tmp_path / "model.keras"
    weights = []
    for model in (whole, parts):
        model.fit(*data, batch_size=4, epochs=2, **QUIET)
        if model is parts:
            model.save(path)
            model = keras.saving.load_model(path)
        assert isinstance(model.optimizer, optimizer)
        assert model.optimizer.get_config()["ema_momentum"] == EMA["ema_momentum"]
        model.fit(*data, batch_size=4, epochs=2, **QUIET)
        weights.append(weights_of(model))
    for first, second in zip(*weights):
        np.testing.assert_allclose(first, second, atol=1e-6)


def test_keras_reads_what_was_saved_as_its_own(data):
    model = compiled(keras.optimizers.Lion(1e-3, **EMA))
    saved = keras.saving.serialize_keras_object(model.optimizer)
    assert (saved["module"], saved["class_name"]) == ("keras.optimizers", "Lion")
    plain = keras.saving.deserialize_keras_object(saved)
    assert isinstance(plain, keras.optimizers.Lion)
    assert plain.ema_momentum == EMA["ema_momentum"]
    own = compiled(OwnOptimizer(1e-3, **EMA))
    again = keras.saving.deserialize_keras_object(
        keras.saving.serialize_keras_object(own.optimizer)
    )
    assert type(again) is OwnOptimizer


@pytest.mark.parametrize("optimizer", [AveragedAdam, AveragedMuon])
@pytest.mark.parametrize("momentum", [0.5, 0.9999])
def test_under_gradient_accumulation_the_average_counts_updates(optimizer, momentum):
    arguments = {"ema_momentum": momentum}
    one = optimizer(0.1, **arguments)
    four = optimizer(0.1, gradient_accumulation_steps=4, **arguments)
    ends = []
    for optimizer, repeats in ((one, 1), (four, 4)):
        weight = keras.Variable(np.array([5.0], "float32"))
        optimizer.build([weight])
        for step in range(20):
            for _ in range(repeats):
                gradient = keras.ops.convert_to_tensor([1.0 + step % 3])
                optimizer.apply([gradient], [weight])
        raw = to_numpy(weight)
        optimizer.finalize_variable_values([weight])
        ends.append([raw, to_numpy(weight)])
    np.testing.assert_allclose(ends[0], ends[1], rtol=1e-5)
    assert abs(ends[0][0] - ends[0][1]) > 1e-2


def test_averages_of_optimizers_chosen_by_a_function_warm_up(data):
    adam = keras.optimizers.AdamW(1e-2, **EMA)
    sgd = keras.optimizers.SGD(1e-5, **EMA)
    # Keras calls the function in `build`, and then knows the optimizers.
    model = compiled(
        keras.optimizers.MultiOptimizer(lambda v: adam if len(v.shape) > 1 else sgd)
    )
    values = fitted(model, data, 4)
    expected = average_of(values, EMA["ema_momentum"])
    for found, value in zip(weights_of(model), expected):
        np.testing.assert_allclose(found, value, atol=1e-5)


def test_under_mixed_float16_the_average_warms_up(data):
    model = InDI(small_network(), seed=3)
    scaled = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(1e-3, **EMA))
    model.compile(scaled)
    values = fitted(model, data, 4)
    expected = average_of(values, EMA["ema_momentum"])
    for found, value in zip(weights_of(model), expected):
        np.testing.assert_allclose(found, value, atol=1e-5)


def test_the_average_inside_loss_scaling_warms_up_for_a_new_backbone(data):
    inner = keras.optimizers.AdamW(1e-3, **EMA)
    model = compiled(keras.optimizers.LossScaleOptimizer(inner, initial_scale=2.0))
    model.fit(*data, batch_size=8, **QUIET)
    model.backbone = small_network()
    inner = model.optimizer.inner_optimizer
    momentum = to_numpy(keras.ops.convert_to_tensor(inner.ema_momentum))
    assert momentum == pytest.approx(0.1)  # of no update yet


def test_a_fit_without_an_update_leaves_the_weights(data):
    # An average that has seen no step is all zeros.
    model = compiled(AveragedAdam(1e-2))
    before = weights_of(model)
    model.fit(*data, epochs=1, initial_epoch=1, **QUIET)
    for first, second in zip(weights_of(model), before):
        np.testing.assert_array_equal(first, second)


# === What would end in raw weights ===


def test_a_name_says_that_it_makes_no_average():
    model = InDI(small_network())
    with pytest.warns(UserWarning, match="use_ema=True.*Received: optimizer='adam'"):
        model.compile("adam")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.compile()
        model.compile(keras.optimizers.Adam(1e-4))


def callbacks_of(tmp_path):
    return {
        "stop": keras.callbacks.EarlyStopping("loss", restore_best_weights=True),
        "last": keras.callbacks.EarlyStopping("loss"),
        "save": keras.callbacks.ModelCheckpoint(tmp_path / "best.keras"),
        "swap": keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
        "test": keras.callbacks.SwapEMAWeights(),
    }


@pytest.mark.parametrize(
    "names, warned",
    [
        (["stop"], r"EarlyStopping\(restore_best_weights=True\)"),
        (["last"], None),
        (["save", "stop"], "ModelCheckpoint and EarlyStopping"),
        (["swap", "save", "stop"], None),
        (["save", "swap"], "ModelCheckpoint"),
        (["test", "save"], "ModelCheckpoint"),
    ],
)
def test_a_fit_warns_of_callbacks_that_keep_raw_weights(data, tmp_path, names, warned):
    known = callbacks_of(tmp_path)
    arguments = {"callbacks": [known[name] for name in names], "batch_size": 8, **QUIET}
    model = compiled(AveragedAdam(1e-3))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        model.fit(*data, **arguments)
    messages = [str(w.message) for w in caught if "SwapEMAWeights" in str(w.message)]
    assert len(messages) == (warned is not None)
    if warned:
        with pytest.warns(UserWarning, match=warned):
            model.fit(*data, **arguments)


def test_without_an_average_no_callback_is_warned_of(data, tmp_path):
    model = compiled(keras.optimizers.Adam(1e-3))
    with warnings.catch_warnings():
        warnings.filterwarnings("error", message=".*SwapEMAWeights")
        model.fit(*data, callbacks=[callbacks_of(tmp_path)["save"]], **QUIET)
