"""An interrupted fit leaves the averages on every backend, and another goes on."""

import signal

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, to_numpy

from keras_indi.models import AveragedAdam, InDI

QUIET = {"verbose": 0, "shuffle": False}


@pytest.fixture(scope="module")
def data():
    return pairs(8, height=8, width=8)


def compiled(optimizer=AveragedAdam, **kwargs):
    model = InDI(small_network(), noise_schedule=0.02, seed=3)
    model.compile(optimizer(1e-2), **kwargs)
    return model


def weights_of(model):
    return [to_numpy(weight) for weight in model.backbone.weights]


def assert_same_weights(model, others):
    for first, second in zip(weights_of(model), others):
        np.testing.assert_allclose(first, second, atol=1e-6)


def assert_goes_on(model, data):
    before = weights_of(model)
    history = model.fit(*data, batch_size=4, epochs=2, **QUIET)
    assert np.all(np.isfinite(history.history["loss"]))
    assert max(np.abs(a - b).max() for a, b in zip(before, weights_of(model))) > 1e-4
    assert np.all(np.isfinite(model.restore(data[0], num_steps=2)))


def interrupt(**at):
    """A callback that interrupts when a method is called with an index."""
    ((name, index),) = at.items()

    def raises(found, logs=None):
        if found == index:
            raise KeyboardInterrupt

    return keras.callbacks.LambdaCallback(**{name: raises})


class Source(keras.utils.PyDataset):
    """Pairs one by one; the batch that is asked for at a number is an interrupt."""

    def __init__(self, data, fails_at):
        super().__init__()
        self.data, self.fails_at, self.asked = data, fails_at, 0

    def __len__(self):
        return 4

    def __getitem__(self, index):
        self.asked += 1
        if self.asked > self.fails_at:
            raise KeyboardInterrupt
        return tuple(part[2 * index : 2 * index + 2] for part in self.data)


@pytest.mark.parametrize("optimizer", [AveragedAdam, keras.optimizers.Adam])
def test_it_leaves_what_a_whole_fit_of_its_steps_leaves(data, optimizer):
    whole, broken = compiled(optimizer), compiled(optimizer)
    steps = {"batch_size": 4, **QUIET}
    whole.fit(*data, epochs=3, **steps)
    with pytest.raises(KeyboardInterrupt):
        # After the last of six steps.
        callback = interrupt(on_epoch_end=2)
        broken.fit(*data, epochs=9, callbacks=[callback], **steps)
    assert_same_weights(broken, weights_of(whole))
    assert_goes_on(broken, data)


def test_within_an_epoch(data):
    whole, broken = compiled(), compiled()
    first = [part[:4] for part in data]
    whole.fit(*first, batch_size=4, epochs=1, **QUIET)
    with pytest.raises(KeyboardInterrupt):
        callback = interrupt(on_train_batch_end=0)
        broken.fit(*data, batch_size=4, epochs=9, callbacks=[callback], **QUIET)
    assert_same_weights(broken, weights_of(whole))
    assert_goes_on(broken, data)


@pytest.mark.parametrize("fails_at", [2, 3, 7])
def test_by_the_data(data, fails_at):
    # The first look of `fit` and of Keras at a source takes a batch or two.
    model = compiled()
    before = weights_of(model)
    # TensorFlow makes an error of its own of it.
    with pytest.raises((KeyboardInterrupt, Exception)):  # noqa: B017
        model.fit(Source(data, fails_at), epochs=9, **QUIET)
    if int(to_numpy(model.optimizer.iterations)) == 0:
        assert_same_weights(model, before)
    assert_goes_on(model, data)


def test_by_a_signal_within_a_step(data, interrupts):
    class Interrupting(InDI):
        armed = True

        def training_example(self, *args, **kwargs):
            if self.armed:
                self.armed = False
                # As Python does for a signal; a real one twice ended the process that
                # runs the tests.
                signal.getsignal(signal.SIGINT)(signal.SIGINT, None)
            return super().training_example(*args, **kwargs)

    model = Interrupting(small_network(), seed=3)
    model.compile(AveragedAdam(1e-2))
    with pytest.raises(KeyboardInterrupt):
        model.fit(*data, batch_size=4, epochs=9, **QUIET)
    assert_goes_on(model, data)


@pytest.mark.parametrize("swap_on_epoch", [False, True])
def test_while_the_averages_are_swapped_in(data, swap_on_epoch):
    whole, broken = compiled(), compiled()
    whole.fit(*data, batch_size=4, epochs=2, **QUIET)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch)
    with pytest.raises(KeyboardInterrupt):
        broken.fit(
            *data,
            batch_size=4,
            epochs=2,
            validation_data=data,
            callbacks=[swap, interrupt(on_epoch_end=1)]
            if swap_on_epoch
            else [swap, Once(1)],
            **QUIET,
        )
    assert_same_weights(broken, weights_of(whole))
    assert_goes_on(broken, data)


class Once(keras.callbacks.Callback):
    """Interrupts the validation of an epoch."""

    def __init__(self, epoch):
        super().__init__()
        self.epoch = epoch

    def on_epoch_begin(self, epoch, logs=None):
        self.present = epoch

    def on_test_batch_end(self, batch, logs=None):
        if self.present == self.epoch:
            raise KeyboardInterrupt


def test_early_stopping_beside_swapped_averages_ends_in_averages(data):
    whole, stopped = compiled(), compiled()
    steps = {"batch_size": 4, **QUIET}
    whole.fit(*data, epochs=2, **steps)
    stop = keras.callbacks.EarlyStopping("loss", min_delta=1e9, patience=1)
    swap = keras.callbacks.SwapEMAWeights(swap_on_epoch=True)
    stopped.fit(*data, epochs=9, callbacks=[swap, stop], **steps)
    assert_same_weights(stopped, weights_of(whole))


def test_loaded_weights_outlive_a_fit_that_fails_before_its_first_step(data):
    model = compiled()
    model.fit(*data, batch_size=4, **QUIET)
    loaded = [0.5 * weight for weight in weights_of(model)]
    model.backbone.set_weights(loaded)
    with pytest.raises(KeyboardInterrupt):
        callback = interrupt(on_train_batch_begin=0)
        model.fit(*data, batch_size=4, callbacks=[callback], **QUIET)
    assert_same_weights(model, loaded)


def test_an_interrupted_evaluation_leaves_the_model_whole(data):
    model = compiled()
    model.fit(*data, batch_size=4, **QUIET)
    before = weights_of(model)
    with pytest.raises(KeyboardInterrupt):
        callback = interrupt(on_test_batch_end=0)
        model.evaluate(*data, batch_size=4, callbacks=[callback], verbose=0)
    assert_same_weights(model, before)
    assert_goes_on(model, data)


@pytest.mark.parametrize("at", ["on_predict_batch_begin", "on_predict_batch_end"])
def test_an_interrupted_prediction_leaves_the_model_whole(data, at):
    model = compiled()
    model.fit(*data, batch_size=4, **QUIET)
    before = weights_of(model)
    with pytest.raises(KeyboardInterrupt):
        callback = interrupt(**{at: 1})
        model.predict(data[0], batch_size=1, callbacks=[callback], verbose=0)
    assert_same_weights(model, before)
    assert_goes_on(model, data)
