"""`keras-indi train`, as a user runs it."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smooth_images
from PIL import Image

from keras_indi.models import InDI
from keras_indi.restoration import file_seed
from keras_indi.training.training_config import TrainingConfig, read_settings
from keras_indi_cli.__main__ import main

CONFIG = """
clean: clean
degradation: {name: gaussian_noise, sigma: [5, 50]}
network: {base_channels: 4, channel_multipliers: [1, 2], blocks_per_level: 1}
batches: 4
batch_size: 2
crop_size: 16
learning_rate: 1e-3
dtype: float32
"""


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clean").mkdir()
    for number, image in enumerate(smooth_images(2, 24, 20)):
        Image.fromarray(image.astype("uint8")).save(f"clean/{number}.png")
    (tmp_path / "train.yaml").write_text(CONFIG)
    return tmp_path


def run(*arguments):
    return CliRunner().invoke(main, ["train", *map(str, arguments)])


@pytest.mark.slow
def test_flags_go_before_the_file_and_the_result_restores(here):
    options = ["--output", "run", "--batches", 2, "--degradation", "jpeg_compression"]
    options += ["--noise-schedule", "1e-2", "--own-states", 0.75, "--device", "cpu"]
    result = run("--config", "train.yaml", *options)
    assert result.exit_code == 0, result.output
    assert "keras-indi restore photo.jpg --preset run/preset" in result.stdout
    assert "2/2 - " in result.stdout and "\x1b" not in result.output
    again = run("--config", "train.yaml", *options)
    assert "finished before: nothing was done" in again.stdout
    assert "finished before" not in result.stdout and again.exit_code == 0
    config = TrainingConfig.from_dict(read_settings("run/config.yaml"))
    assert config.batches == 2 and config.degradation == "jpeg_compression"
    assert config.noise_schedule == 0.01 and config.batch_size == 2
    arguments = ["--preset", "run/preset", "--steps", 1, "--dtype", "float32"]
    arguments = ["restore", "clean/0.png", "-o", "out.png", *arguments]
    result = CliRunner().invoke(main, [*map(str, arguments)])
    assert result.exit_code == 0, result.output
    model = InDI.from_preset("run/preset", dtype="float32")
    assert model.own_states == 0.75
    image = np.asarray(Image.open("clean/0.png"))
    np.testing.assert_array_equal(
        np.asarray(Image.open("out.png")),
        model.restore(image, 1, seed=file_seed(0, "0.png")),
    )


@pytest.mark.parametrize(
    "arguments, message",
    [
        (["--config", "train.yaml"], "requires `output`"),
        (["--output", "run"], "requires `clean`"),
        (["--output", "run", "--clean", "clean"], "`degradation`"),
        (["--config", "none.yaml"], "none.yaml"),
        (["--config", "train.yaml", "--output", "run", "--batches", "0"], "batches=0"),
        (["--config", "bad.yaml", "--output", "run"], "Received: batchsize"),
        (
            [
                "--config",
                "train.yaml",
                "--output",
                "run",
                "--degradation",
                "{name: fog}",
            ],
            "name='fog'",
        ),
    ],
)
def test_bad_settings_end_with_a_message_and_no_files(here, arguments, message):
    (here / "bad.yaml").write_text(f"{CONFIG}batchsize: 3\n")
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in result.stderr and "Traceback" not in result.output
    assert not (here / "run").exists()


def _hear_signals():
    """Undoes what whoever runs the tests ignores, as `nohup` does."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for name in ("SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_DFL)


@pytest.mark.slow
@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
@pytest.mark.parametrize("name", ["SIGTERM", "SIGHUP", "SIGINT"])
def test_a_signal_ends_it_as_an_interrupt_does(here, name):
    number = getattr(signal, name)
    command = [sys.executable, "-m", "keras_indi_cli", "train"]
    command += ["--config", "train.yaml", "--output", "run", "--batches", "5000"]
    command += ["--batches-per-epoch", "10"]
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command,
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=_hear_signals,
    ) as process:
        backup = here / "run" / "backup.weights.h5"
        deadline = time.monotonic() + 200
        while not backup.exists() and time.monotonic() < deadline:
            assert process.poll() is None
            time.sleep(0.05)
        # Meanwhile a second one is refused.
        second = subprocess.run(command, env=environ, capture_output=True, text=True)
        assert second.returncode == 2
        assert f"Another process works in this folder, process {process.pid} on" in (
            second.stderr
        )
        process.send_signal(number)
        error = process.communicate()[1]
    assert process.returncode == 128 + number
    assert f"Interrupted by {name}" in error and "Traceback" not in error
    names = {path.name for path in (here / "run").iterdir()}
    assert names >= {"backup.weights.h5", "config.yaml", "training.csv"}
    assert not [name for name in names if name.startswith(".")]
