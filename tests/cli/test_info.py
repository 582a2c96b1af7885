"""`keras-indi info`, as a user runs it."""

import keras
from click.testing import CliRunner

import keras_indi_environment
from keras_indi.cli.__main__ import main
from keras_indi.presets import PRESETS_FOLDER
from keras_indi.version import __version__


def test_info_tells_what_runs_and_why(monkeypatch):
    monkeypatch.setenv(keras_indi_environment.REASON, "the tests say so")
    monkeypatch.setenv("KERAS_BACKEND", keras.config.backend())
    result = CliRunner().invoke(main, ["info"])
    assert result.exit_code == 0, result.output
    backend = keras.config.backend()
    assert f"Runs on {backend}: the tests say so." in result.stdout
    assert f"Keras {keras.__version__}" in result.stdout
    assert f"Devices of {backend}: " in result.stdout and "cpu:0" in result.stdout
    assert str(PRESETS_FOLDER) in result.stdout


def test_the_version(monkeypatch):
    result = CliRunner().invoke(main, ["--version"])
    assert result.stdout == f"keras-indi, version {__version__}\n"
