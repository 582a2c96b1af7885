"""`keras-indi info`, as a user runs it."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest
from click.testing import CliRunner

import keras_indi_cli
from keras_indi.presets import PRESETS_FOLDER
from keras_indi.version import __version__
from keras_indi_cli.__main__ import main


@pytest.mark.slow
def test_info_tells_what_runs_and_why():
    backend = keras.config.backend()
    root = pathlib.Path(keras_indi_cli.__file__).parents[1]
    script = "from keras_indi_cli.launcher import main; main()"
    result = subprocess.run(
        [sys.executable, "-c", script, "info"],
        env={**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert result.returncode == 0, result.stderr
    assert f"Runs on {backend}: KERAS_BACKEND names it." in result.stdout
    assert f"Keras {keras.__version__}" in result.stdout
    assert f"Devices of {backend}: " in result.stdout and "cpu:0" in result.stdout
    assert str(PRESETS_FOLDER) in result.stdout


def test_the_version(monkeypatch):
    result = CliRunner().invoke(main, ["--version"])
    assert result.stdout == f"keras-indi, version {__version__}\n"


def test_hosts_are_of_jax_alone(monkeypatch):
    monkeypatch.setenv("KERAS_DISTRIBUTION_NUM_PROCESSES", "2")
    monkeypatch.setenv("KERAS_DISTRIBUTION_PROCESS_ID", "1")
    output = CliRunner().invoke(main, ["info"]).stdout
    on_jax = keras.config.backend() == "jax"
    assert ("this is process 1 of 2" in output) == on_jax
    assert ("only JAX supports it" in output) != on_jax
