"""One training in two processes: the losses of one, and it goes on after kills."""

import contextlib
import importlib.util
import os
import shutil
import signal
import socket
import subprocess
import sys
import time

import keras
import numpy as np
import pytest
from training.short_training import short_training

from keras_indi.callbacks.epoch_log import read_log
from keras_indi.training import TrainingConfig

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not importlib.util.find_spec("jax"), reason="JAX's processes"),
]
BATCHES = 12


@pytest.fixture
def settings(tmp_path):
    found = short_training(tmp_path)
    for side in ("clean", "degraded"):  # a fourth, as two devices share a batch
        shutil.copy(tmp_path / side / "0.png", tmp_path / side / "3.png")
    return {
        **found,
        "validation_clean": tmp_path / "clean",
        "validation_degraded": tmp_path / "degraded",
        "batches": BATCHES,
        "batches_per_epoch": 3,
        "batch_size": 4,
    }


def start(settings, name, count):
    """Starts the command in as many processes, one training in the folder `name`."""
    folder = settings["output"].parent
    config = TrainingConfig(**{**settings, "output": folder / name, "devices": "all"})
    config.save(folder / f"{name}.yaml")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = [sys.executable, "-m", "keras_indi_cli", "train"]
    command += ["--config", str(folder / f"{name}.yaml")]
    found = []
    for number in range(count):
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(sys.path),
            "KERAS_BACKEND": "jax",
            "JAX_COMPILATION_CACHE_DIR": str(folder / "compiled"),
            "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        }
        if count > 1:
            environment |= {
                "KERAS_DISTRIBUTION_JOB_ADDRESSES": address,
                "KERAS_DISTRIBUTION_NUM_PROCESSES": str(count),
                "KERAS_DISTRIBUTION_PROCESS_ID": str(number),
            }
        log = open(folder / f"{name}_{number}.txt", "a")
        with log:
            found.append(
                subprocess.Popen(
                    command, env=environment, stdout=log, stderr=subprocess.STDOUT
                )
            )
    return found


def wait(processes, folder, name):
    """Waits until all have ended well."""
    codes = [process.wait(timeout=300) for process in processes]
    printed = [
        (folder / f"{name}_{number}.txt").read_text()[-3000:]
        for number in range(len(processes))
    ]
    assert codes == [0] * len(codes), "\n---\n".join(printed)


def results(folder):
    """The losses of the epochs, and the weights in the end."""
    log = read_log(folder / "training.csv")
    losses = [[float(row[key]) for key in ("loss", "val_loss")] for row in log.values()]
    model = keras.saving.load_model(folder / "restorer.keras", compile=False)
    return losses, model.get_weights()


@contextlib.contextmanager
def ended(processes):
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def test_two_processes_train_as_one_and_go_on_after_kills(settings, tmp_path):
    for name, count in (("one", 1), ("two", 2)):
        processes = start(settings, name, count)
        with ended(processes):
            wait(processes, tmp_path, name)
    alone, together = results(tmp_path / "one"), results(tmp_path / "two")
    assert len(alone[0]) == BATCHES // 3
    np.testing.assert_allclose(together[0], alone[0], rtol=1e-4)
    for one, two in zip(alone[1], together[1], strict=True):
        np.testing.assert_allclose(two, one, atol=1e-4)

    # One is killed, and the other with it; then both at once.
    backup = tmp_path / "killed" / "backup.weights.h5"
    for victims in ([1], [0, 1]):
        processes = start(settings, "killed", 2)
        with ended(processes):
            before = backup.stat().st_mtime_ns if backup.exists() else 0
            deadline = time.monotonic() + 240
            while not backup.exists() or backup.stat().st_mtime_ns == before:
                assert time.monotonic() < deadline
                assert all(process.poll() is None for process in processes)
                time.sleep(0.01)
            for number in victims:
                processes[number].send_signal(signal.SIGKILL)
            # JAX lets the other one wait for minutes; whatever started it may end it.
            time.sleep(1)
    processes = start(settings, "killed", 2)
    with ended(processes):
        wait(processes, tmp_path, "killed")
    resumed = results(tmp_path / "killed")
    assert resumed[0] == together[0]
    for one, two in zip(together[1], resumed[1], strict=True):
        np.testing.assert_array_equal(one, two)
