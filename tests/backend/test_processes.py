"""Processes that environment variables name: wrong ones are errors before any wait."""

import os
import subprocess
import sys

import keras
import pytest

from keras_indi.backend.several_devices import all_devices

GIVEN = {
    "JOB_ADDRESSES": "127.0.0.1:12345",
    "NUM_PROCESSES": "2",
    "PROCESS_ID": "0",
}


@pytest.mark.parametrize(
    "changed, message",
    [
        ({"PROCESS_ID": "2"}, "a number from 0.*PROCESS_ID='2'"),
        ({"PROCESS_ID": "first"}, "PROCESS_ID='first'"),
        ({"NUM_PROCESSES": "two"}, "NUM_PROCESSES='two'"),
        ({"NUM_PROCESSES": "0"}, "NUM_PROCESSES='0'"),
        ({"JOB_ADDRESSES": "127.0.0.1"}, "such as 10.0.0.1:1234.*='127.0.0.1'"),
        ({"JOB_ADDRESSES": ""}, "JOB_ADDRESSES=''"),
    ],
)
def test_wrong_variables_are_named(changed, message, monkeypatch):
    for name, value in {**GIVEN, **changed}.items():
        if value is None:
            monkeypatch.delenv(f"KERAS_DISTRIBUTION_{name}", raising=False)
        else:
            monkeypatch.setenv(f"KERAS_DISTRIBUTION_{name}", value)
    if keras.config.backend() != "jax":
        message = "with JAX only.*Received: KERAS_DISTRIBUTION_"
    with pytest.raises(ValueError, match=message):
        all_devices()


@pytest.mark.parametrize("missing", ["JOB_ADDRESSES", "PROCESS_ID"])
def test_missing_variables_are_named(missing):
    if keras.config.backend() != "jax":
        pytest.skip("several hosts train with JAX only")
    # JAX looks for them before its first computation alone.
    given = {k: v for k, v in GIVEN.items() if k != missing}
    given = {f"KERAS_DISTRIBUTION_{name}": value for name, value in given.items()}
    code = "from keras_indi.backend.several_devices import all_devices; all_devices()"
    found = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **given},
        capture_output=True,
        text=True,
    )
    assert found.returncode == 1
    assert f"set KERAS_DISTRIBUTION_{missing} too. Received: " in found.stderr
