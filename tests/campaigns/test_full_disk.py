"""The campaign's short form."""

import os
import pathlib
import subprocess
import sys

import keras
import pytest

pytest.importorskip("resource")
pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).with_name("full_disk.py")


@pytest.mark.parametrize("how", [[], ["--by", "limit"]], ids=["mount", "limit"])
def test_a_full_disk_tears_nothing(how):
    sizes = ["--side", 120, "--pairs", 12, "--batches", 60, "--disks", 2]
    backend = ["--backend", keras.config.backend()]
    command = [sys.executable, SCRIPT, *backend, *map(str, sizes), *how]
    environ = {**os.environ, "PYTHONPATH": str(SCRIPT.parents[2])}
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=1500
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
