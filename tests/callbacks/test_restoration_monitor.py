"""Restored metrics in the logs, with the averages, and training left alone."""

import subprocess
import sys
import threading

import keras
import numpy as np
import pytest
from helpers import pairs, small_network, smooth_images, to_numpy
from PIL import Image

from keras_indi.callbacks import RestorationMonitor, TensorBoardScalars
from keras_indi.metrics import PSNR, SSIM
from keras_indi.models import AveragedAdam, InDI

DEGRADED, CLEAN = pairs(2, seed=5, height=16, width=12)
STEPS = (1, 3)
PSNR_OF_CROPS = PSNR()
NAMES = [f"restored_psnr_{steps}" for steps in STEPS]


def new_model(optimizer=None):
    model = InDI(small_network(), noise_schedule=0.02, seed=0)
    if optimizer is None:
        # An average far from the weights.
        optimizer = keras.optimizers.Adam(0.01, use_ema=True, ema_momentum=0.9)
    model.compile(optimizer)
    return model


def fit(model, callbacks, epochs=3, **kwargs):
    degraded, clean = pairs(6, height=8, width=8)
    return model.fit(
        degraded,
        clean,
        batch_size=2,
        epochs=epochs,
        shuffle=False,
        verbose=0,
        callbacks=callbacks,
        **kwargs,
    )


def restored_psnr(model, steps, seed=0):
    restored = model.restore(list(DEGRADED), num_steps=steps, seed=seed, verbose=0)
    return np.mean(PSNR_OF_CROPS.per_image(CLEAN, np.stack(restored)))


class ManualAverages(keras.callbacks.Callback):
    """The moving average in NumPy, and what the model restores with it."""

    def __init__(self, momentum):
        super().__init__()
        self.momentum = momentum
        self.averages = None
        self.history = []
        self.other = InDI(small_network(), noise_schedule=0.02)

    def weights(self):
        if keras.config.backend() == "jax":
            self.model.jax_state_sync()
        return [np.array(to_numpy(v.value)) for v in self.model.trainable_variables]

    def on_train_batch_end(self, batch, logs=None):
        weights = self.weights()
        if self.averages is None:
            self.averages, self.updates = weights, 1
        else:
            m = min(self.momentum, (1 + self.updates) / (10 + self.updates))
            self.updates += 1
            self.averages = [
                m * a + (1 - m) * w for a, w in zip(self.averages, weights)
            ]

    def on_epoch_end(self, epoch, logs=None):
        for variable, average in zip(self.other.trainable_variables, self.averages):
            variable.assign(average)
        self.history.append([restored_psnr(self.other, steps) for steps in STEPS])


def test_the_averages_are_restored_with():
    model = new_model()
    manual = ManualAverages(0.9)
    monitor = RestorationMonitor(DEGRADED, CLEAN, STEPS)
    history = fit(model, [manual, monitor]).history
    found = np.transpose([history[name] for name in NAMES])
    np.testing.assert_allclose(found, manual.history, atol=1e-3)
    # Ends with the averages in the model, as Keras does; not near the raw ones.
    np.testing.assert_allclose(found[-1], [restored_psnr(model, s) for s in STEPS])
    raw = new_model(keras.optimizers.Adam(0.01))
    history = fit(raw, [RestorationMonitor(DEGRADED, CLEAN, STEPS)]).history
    assert abs(history[NAMES[0]][-1] - found[-1][0]) > 0.05
    np.testing.assert_allclose(history[NAMES[0]][-1], restored_psnr(raw, 1))


@pytest.mark.parametrize("averaged", [False, True])
def test_training_is_the_same_to_the_last_bit(averaged):
    weights, losses, states = [], [], []
    for watched in (False, True):
        model = new_model(AveragedAdam(0.01) if averaged else None)
        monitor = [RestorationMonitor(DEGRADED, CLEAN, STEPS)] if watched else []
        history = fit(model, monitor, validation_data=pairs(2, height=8, width=8))
        losses.append([history.history["loss"], history.history["val_loss"]])
        weights.append(model.get_weights())
        states.append([to_numpy(v.value) for v in model.optimizer.variables])
    assert losses[0] == losses[1]
    for a, b in zip(weights[0] + states[0], weights[1] + states[1]):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize(
    "first, swap_on_epoch", [(False, True), (True, True), (True, False)]
)
def test_beside_swap_ema_weights_in_any_order(first, swap_on_epoch):
    expected = fit(new_model(), [RestorationMonitor(DEGRADED, CLEAN, STEPS)]).history
    model = new_model()
    callbacks = [
        RestorationMonitor(DEGRADED, CLEAN, STEPS),
        keras.callbacks.SwapEMAWeights(swap_on_epoch=swap_on_epoch),
    ]
    validation = {"validation_data": pairs(2, height=8, width=8)}
    found = fit(model, callbacks[:: -1 if first else 1], **validation).history
    for name in NAMES:
        # Keras swaps by additions on TensorFlow, which round.
        np.testing.assert_allclose(found[name], expected[name], atol=2e-3)
    assert found["val_loss"]


def test_checkpoints_and_early_stopping_watch_the_logs(tmp_path):
    class Spoiler(keras.callbacks.Callback):
        """From the second epoch on, training makes all worse."""

        def on_epoch_begin(self, epoch, logs=None):
            self.model.optimizer.learning_rate.assign(0.001 if epoch == 0 else 0.5)

    model = new_model(AveragedAdam(0.001))
    path = tmp_path / "best.keras"
    history = fit(
        model,
        [
            Spoiler(),
            RestorationMonitor(DEGRADED, CLEAN, STEPS),
            keras.callbacks.SwapEMAWeights(swap_on_epoch=True),
            keras.callbacks.ModelCheckpoint(
                path, NAMES[1], mode="max", save_best_only=True
            ),
            keras.callbacks.EarlyStopping(NAMES[1], patience=1, mode="max"),
        ],
        epochs=6,
    ).history
    assert len(history["loss"]) == 2
    assert history[NAMES[1]][0] > history[NAMES[1]][1] + 0.5
    best = keras.saving.load_model(path)
    np.testing.assert_allclose(restored_psnr(best, 3), history[NAMES[1]][0], atol=1e-3)


def test_every_so_many_epochs_and_the_last_scores_between():
    class Logs(keras.callbacks.Callback):
        seen = []

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append(logs.get("restored_ssim_2"))

    watching = Logs()
    metrics = [SSIM(), PSNR()]
    monitor = RestorationMonitor(DEGRADED, CLEAN, (2,), every=2, metrics=metrics)
    fit(new_model(), [monitor, watching], epochs=5)
    first, *seen = watching.seen
    assert first is None and None not in seen
    assert seen[0] == seen[1] != seen[2] == seen[3]


def test_previews_show_what_was_restored(tmp_path):
    degraded = [DEGRADED[0], smooth_images(1, 12, 20)[0]]
    clean = [CLEAN[0], smooth_images(1, 12, 20, seed=1)[0]]
    monitor = RestorationMonitor(
        degraded, clean, STEPS, every=2, log_dir=tmp_path, sampler="naive"
    )
    model = new_model()
    fit(model, [monitor], epochs=4)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["epoch_0002.png", "epoch_0004.png"]
    sheet = np.asarray(Image.open(tmp_path / "epoch_0004.png")).astype(int)
    assert sheet.shape == (28 + 2 * (12 + 8), 4 * (12 + 8) + 8, 3)  # the smallest
    restored = model.restore(degraded, num_steps=3, sampler="naive", seed=0)
    for row, image in enumerate(restored):
        top, left = 28 + 20 * row, 8 + 2 * 20
        cell = sheet[top : top + 12, left : left + 12]
        assert np.abs(cell - image[:12, :12]).max() <= 1


def test_tensorboard_without_tensorflow(tmp_path):
    pytest.importorskip("tensorboard")
    monitor = RestorationMonitor(
        DEGRADED, CLEAN, STEPS, log_dir=tmp_path, tensorboard=True
    )
    history = fit(new_model(), [monitor], epochs=2).history
    script = """
import sys
sys.modules["tensorflow"] = None
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
events = EventAccumulator(sys.argv[1], {"images": 0}).Reload()
for name in events.Tags()["scalars"]:
    print(name, *(event.value for event in events.Scalars(name)))
for image in events.Images("restored"):
    print("image", image.step, image.width, image.encoded_image_string[1:4].decode())
"""
    command = [sys.executable, "-c", script, tmp_path / "tensorboard"]
    result = subprocess.run(command, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    lines = [line.split() for line in result.stdout.splitlines()]
    scores = {name: list(map(float, rest)) for name, *rest in lines[:2]}
    assert set(scores) == set(NAMES)
    for name in NAMES:
        np.testing.assert_allclose(scores[name], history[name], rtol=1e-6)
    width = str(4 * (12 + 8) + 8)
    assert lines[2:] == [["image", step, width, "PNG"] for step in "01"]


def test_the_threads_of_the_writers_end_with_the_fit(tmp_path):
    pytest.importorskip("tensorboard")
    arguments = {"log_dir": tmp_path, "tensorboard": True}
    monitor = RestorationMonitor(DEGRADED, CLEAN, (1,), **arguments)
    scalars = TensorBoardScalars(tmp_path / "scalars")

    def writers():
        return [t for t in threading.enumerate() if "AsyncWriter" in type(t).__name__]

    before = writers()
    for _ in range(2):
        fit(new_model(), [monitor, scalars], epochs=1)
        assert writers() == before
    for folder in ("tensorboard", "scalars"):
        assert len(list((tmp_path / folder).iterdir())) == 2  # one a fit


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"num_steps": (0,)}, "Received: num_steps=0"),
        ({"every": 0}, "Received: every=0"),
        ({"num_previews": 0}, "Received: num_previews=0"),
        ({"seed": -1}, "Received: seed=-1"),
        ({"clean": CLEAN[:1]}, "Received: degraded of shapes"),
        ({"clean": CLEAN[:, :8]}, "Received: degraded of shapes"),
        ({"tensorboard": True}, "Received: tensorboard=True, log_dir=None"),
        ({"metrics": [keras.metrics.MeanSquaredError()]}, "Received: metrics="),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        RestorationMonitor(**{"degraded": DEGRADED, "clean": CLEAN, **arguments})


def test_unbounded_images_need_a_metric():
    model = InDI(small_network(), value_range=None)
    model.compile()
    with pytest.raises(ValueError, match="Received: metrics=None, value_range=None"):
        fit(model, [RestorationMonitor(DEGRADED, CLEAN)])


@pytest.mark.parametrize(
    "arguments, message",
    [
        ({"sampler": "heunn"}, "Received: sampler='heunn'"),
        ({"time_grid": [1, 0.5, 0]}, "Received: num_steps=1, time_grid="),
        ({"time_shift": -1}, "Received: time_shift=-1"),
        ({"tile_sise": 8}, "unexpected keyword argument 'tile_sise'"),
    ],
)
def test_settings_are_checked_before_the_first_epoch(arguments, message):
    model = new_model()
    before = model.get_weights()
    with pytest.raises((TypeError, ValueError), match=message):
        fit(model, [RestorationMonitor(DEGRADED, CLEAN, STEPS, **arguments)])
    for weight, value in zip(model.get_weights(), before):
        np.testing.assert_array_equal(weight, value)
