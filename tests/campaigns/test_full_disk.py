"""The campaign's short form."""

import os
import pathlib

import keras
import pytest
from helpers import run_alone

pytest.importorskip("resource")
pytestmark = pytest.mark.slow

SCRIPT = pathlib.Path(__file__).with_name("full_disk.py")


@pytest.mark.parametrize("how", [[], ["--by", "limit"]], ids=["mount", "limit"])
def test_a_full_disk_tears_nothing(how):
    sizes = ["--side", 120, "--pairs", 12, "--batches", 60, "--disks", 2]
    backend = ["--backend", keras.config.backend()]
    run_alone([SCRIPT, *backend, *sizes, *how], {**os.environ, "PYTHONPATH": _path()})


def _path():
    return str(SCRIPT.parents[2])
