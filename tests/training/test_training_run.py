"""A training from its configuration: what it learns, leaves and resumes."""

import csv
import dataclasses
import os
import pathlib
import signal
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from helpers import smooth_images, tiny_unet
from PIL import Image
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from training.short_training import short_training

import keras_indi
from keras_indi.models import InDI
from keras_indi.training import TrainingConfig, train
from keras_indi.training.training_run import build_model, build_pairs


@pytest.fixture
def settings(tmp_path):
    """A training of seconds: pairs whose degraded images are darker."""
    return short_training(tmp_path)


def log(out):
    with open(out / "training.csv", newline="") as file:
        return list(csv.DictReader(file))


def test_what_a_training_leaves(settings, tmp_path):
    validation = {"validation_clean": tmp_path / "clean"}
    validation["validation_degraded"] = tmp_path / "degraded"
    config = TrainingConfig(**{**settings, **validation, "tensorboard": True})
    path = train(config, verbose=0)
    out = tmp_path / "run"
    assert path == out / "restorer.keras"
    assert sorted(p.name for p in out.iterdir()) == [
        "best.keras",
        "config.yaml",
        "images.json",
        "preset",
        "previews",
        "restorer.keras",
        "tensorboard",
        "training.csv",
    ]
    rows = log(out)
    assert [row["epoch"] for row in rows] == ["0", "1", "2"]  # of 2, 2 and 1 steps
    events = EventAccumulator(str(out / "tensorboard")).Reload()
    shown = [scalar.value for scalar in events.Scalars("val_loss")]
    np.testing.assert_allclose(shown, [float(r["val_loss"]) for r in rows], rtol=1e-5)

    model = keras.saving.load_model(path)
    assert int(model.optimizer.iterations) == 5
    preset = InDI.from_preset(out / "preset", dtype="float32")
    best = keras.saving.load_model(out / "best.keras")
    image = np.asarray(Image.open(tmp_path / "degraded" / "0.png"))
    restored = model.restore(image, 2)
    np.testing.assert_allclose(
        preset.restore(image, 2).astype(int), restored.astype(int), atol=1
    )
    # The lowest validation loss is that of the file that is kept.
    pairs = build_pairs(config, best)[1]
    lowest = min(float(row["val_loss"]) for row in rows)
    loss = best.evaluate(pairs, verbose=0, return_dict=True)["loss"]
    assert loss == pytest.approx(lowest, rel=1e-4)

    # Done, it is left alone; and it is this training alone.
    before = {p: p.stat().st_mtime_ns for p in out.rglob("*")}
    assert train(config, verbose=0) == path
    assert {p: p.stat().st_mtime_ns for p in out.rglob("*")} == before
    with pytest.raises(
        ValueError, match="other settings.*batches=6, where the folder has 5$"
    ):
        train(dataclasses.replace(config, batches=6))


def test_images_above_a_limit_are_skipped_and_named(settings):
    large = smooth_images(1, 40, 40)[0].astype("uint8")
    for side in ("clean", "degraded"):
        Image.fromarray(large).save(settings[side] / "large.png")
    config = TrainingConfig(**{**settings, "max_pixels": 32 * 36})
    model = build_model(config)
    pairs, _ = build_pairs(config, model)
    with pytest.warns(UserWarning, match="large: too large .*max_pixels=1152"):
        assert len([*pairs, *pairs]) == 2 * len(pairs)
    config = TrainingConfig(**{**settings, "max_pixels": 2})
    with pytest.raises(ValueError, match="max_pixels"):
        train(config, verbose=0)


@pytest.mark.slow
def test_tuples_are_the_lists_that_a_file_holds(settings):
    network = {**settings["network"], "channel_multipliers": (1, 2)}
    config = TrainingConfig(**{**settings, "network": network})
    path = train(config, verbose=0)
    assert train(config, verbose=0) == path
    config.network = {**network, "channel_multipliers": (1, 3)}
    with pytest.raises(ValueError, match="training with other settings"):
        train(config, verbose=0)


@pytest.mark.slow
def test_a_training_of_version_0_1_goes_on(settings):
    # Its file has no unit: eps was a fraction of the value range.
    config = TrainingConfig(**settings, noise_schedule=0.02)
    train(config, verbose=0)
    path = pathlib.Path(settings["output"]) / "config.yaml"
    text = path.read_text().replace("noise_unit: paper\n", "")
    path.write_text(text.replace("noise_schedule: 0.02", "noise_schedule: 0.01"))
    assert train(config, verbose=0).exists()
    with pytest.raises(
        ValueError, match="with other settings.*noise_schedule=0.01, where"
    ):
        train(dataclasses.replace(config, noise_schedule=0.01))


@pytest.mark.slow
def test_it_learns(settings):
    config = TrainingConfig(**{**settings, "batches": 60, "batches_per_epoch": 30})
    train(config, verbose=0)
    losses = [float(row["loss"]) for row in log(settings["output"])]
    assert len(losses) == 2 and losses[-1] < 0.7 * losses[0]


@pytest.mark.slow
def test_it_learns_by_muon(settings):
    changed = {"optimizer": "muon", "learning_rate": 5e-3}
    changed |= {"batches": 90, "batches_per_epoch": 30}
    train(TrainingConfig(**{**settings, **changed}), verbose=0)
    losses = [float(row["loss"]) for row in log(settings["output"])]
    assert len(losses) == 3 and losses[-1] < 0.6 * losses[0]


@pytest.mark.slow
def test_an_interrupted_training_ends_like_one_that_was_not(settings, tmp_path):
    whole = {**settings, "ema_momentum": 0.9, "noise_schedule": 0.05}
    expected = keras.saving.load_model(train(TrainingConfig(**whole), verbose=0))
    again = TrainingConfig(**{**whole, "output": tmp_path / "again"})
    # Dies at the end of the second epoch; the last backup is of its beginning.
    epochs = iter(range(100))

    class Death(Exception):
        pass

    def die(
        self, batch, logs=None, original=keras_indi.callbacks.EpochLog.on_epoch_end
    ):
        original(self, batch, logs)
        if next(epochs) == 1:
            raise Death

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras_indi.callbacks.EpochLog, "on_epoch_end", die)
        with pytest.raises(Death):
            train(again, verbose=0)
    assert (tmp_path / "again" / "backup.weights.h5").exists()
    assert not (tmp_path / "again" / "restorer.keras").exists()
    found = keras.saving.load_model(train(again, verbose=0))
    for one, other in zip(expected.weights, found.weights):
        np.testing.assert_allclose(one, other, atol=2e-6)
    assert int(found.optimizer.iterations) == 5
    assert not (tmp_path / "again" / "backup.weights.h5").exists()


def test_a_preset_is_where_it_starts(settings, tmp_path):
    start = InDI(tiny_unet(), "power", noise_schedule=0.03, seed=0, own_states=0.5)
    start.save(tmp_path / "start.keras")
    start.save_to_preset(tmp_path / "start")
    del settings["network"]
    for handle in (tmp_path / "start.keras", tmp_path / "start"):
        config = TrainingConfig(**{**settings, "preset": handle, "dtype": "bfloat16"})
        model = build_model(config)
        for one, other in zip(start.backbone.weights, model.backbone.weights):
            np.testing.assert_array_equal(one, other)
        assert model.noise_schedule == start.noise_schedule
        assert model.time_distribution == start.time_distribution
        assert model.own_states == start.own_states
        assert model.backbone.dtype_policy.name == "mixed_bfloat16"
    changed = {"preset": tmp_path / "start", "noise_schedule": 0.1, "own_states": 0}
    model = build_model(TrainingConfig(**{**settings, **changed}))
    assert model.noise_schedule == keras_indi.schedules.ConstantNoise(0.1)
    assert model.own_states == 0


def test_the_network_is_that_of_the_presets():
    config = TrainingConfig(output="run", clean="clean", degradation="gaussian_noise")
    model = build_model(config)
    shipped = keras_indi.load_restorer("indi_small_blind")
    sizes = [tuple(weight.shape) for weight in model.backbone.weights]
    assert sizes == [tuple(weight.shape) for weight in shipped.backbone.weights]
    assert model.backbone.activation == shipped.backbone.activation


def test_other_levels_have_two_blocks_each(settings):
    network = {"base_channels": 4, "channel_multipliers": [1, 2]}
    config = {**settings, "network": network}
    assert build_model(TrainingConfig(**config)).backbone.blocks_per_level == 2
    network["blocks_per_level"] = [1, 3]
    assert build_model(TrainingConfig(**config)).backbone.blocks_per_level == (1, 3)


@pytest.mark.parametrize("name", ("adam", "muon"))
def test_optimizers(settings, name):
    model = build_model(TrainingConfig(**{**settings, "optimizer": name}))
    assert type(model.optimizer).__name__ == f"Averaged{name.capitalize()}"
    assert float(model.optimizer.learning_rate) == pytest.approx(1e-3)
    config = model.optimizer.get_config()
    assert config["use_ema"] and config["ema_momentum"] == 0.9999


@pytest.mark.slow
def test_rates_and_averages(settings):
    cosine = {**settings, "learning_rate_schedule": "cosine", "ema_momentum": None}
    model = build_model(TrainingConfig(**cosine))
    schedule = model.optimizer._learning_rate
    assert float(schedule(0)) == pytest.approx(1e-3)
    assert float(schedule(5)) == pytest.approx(0, abs=1e-9)
    assert not model.optimizer.use_ema
    model = build_model(TrainingConfig(**settings, global_clipnorm=20))
    assert model.optimizer.use_ema and model.optimizer.global_clipnorm == 20


@pytest.mark.slow
def test_other_value_ranges_and_channels(settings, tmp_path):
    unet = tiny_unet(image_channels=1)
    InDI(unet, value_range=(-1, 1), seed=0).save(tmp_path / "start.keras")
    del settings["network"]
    config = TrainingConfig(**{**settings, "preset": tmp_path / "start.keras"})
    pairs, _ = build_pairs(config, build_model(config))
    degraded, clean = pairs[0]
    assert degraded.shape == (2, 16, 16, 1) and degraded.dtype == "float32"
    assert clean.min() >= -1 and clean.min() < -0.2 and clean.max() <= 1


def test_a_network_that_cannot_be(settings):
    config = TrainingConfig(**{**settings, "network": {"channels": 3}})
    with pytest.raises(
        ValueError, match="are activation, base_channels.*Received: network="
    ):
        train(config)
    assert not settings["output"].exists()


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_command_goes_on(settings, tmp_path):
    config = TrainingConfig(**{**settings, "batches": 200, "batches_per_epoch": 10})
    config.save(tmp_path / "train.yaml")
    command = [sys.executable, "-m", "keras_indi_cli", "train"]
    command += ["--config", str(tmp_path / "train.yaml")]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    logged = tmp_path / "run" / "training.csv"
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + 120
        while not (logged.exists() and len(log(tmp_path / "run")) >= 2):
            assert process.poll() is None and time.monotonic() < deadline
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
    done = len(log(tmp_path / "run"))
    assert 2 <= done < 20
    # The last backup is from before the last batch of that epoch, or later.
    result = subprocess.run(command, env=environ, capture_output=True, text=True)
    assert result.returncode == 0, result.stderr
    assert (
        f"Epoch {done}/20" in result.stdout or f"Epoch {done + 1}/20" in result.stdout
    )
    assert "Epoch 1/20" not in result.stdout
    assert f"Continuing from {tmp_path / 'run' / 'backup.weights.h5'}" in result.stdout
    model = keras.saving.load_model(tmp_path / "run" / "restorer.keras")
    assert int(model.optimizer.iterations) == 200
