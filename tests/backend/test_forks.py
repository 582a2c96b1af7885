"""A forked process is told that its backend cannot compute there."""

import os

import numpy as np
import pytest
from helpers import tiny_unet

from keras_indi.backend import forks
from keras_indi.models import InDI


@pytest.fixture
def restores():
    return InDI(tiny_unet(gain=0.3), seed=0)


def in_a_fork(work):
    """What a forked process has raised, as text."""
    reader, writer = os.pipe()
    process = os.fork()
    if process == 0:
        try:
            work()
            text = "nothing"
        except BaseException as error:
            text = f"{type(error).__name__}: {error}"
        os.write(writer, text.encode())
        os._exit(0)
    os.waitpid(process, 0)
    os.close(writer)
    with os.fdopen(reader) as file:
        return file.read()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no forks there")
@pytest.mark.filterwarnings("ignore:.*fork")
def test_restoring_or_building_in_a_fork_is_a_clear_error(restores):
    image = np.zeros((8, 8, 3), "uint8")
    for work in (
        lambda: restores.restore(image, 1, verbose=0),
        lambda: InDI(restores.backbone, seed=0),
        tiny_unet,
    ):
        found = in_a_fork(work)
        assert found.startswith("RuntimeError") and "'spawn'" in found
        assert f"forked from {os.getpid()}" in found
    # Here it goes on.
    assert restores.restore(image, 1, verbose=0).shape == (8, 8, 3)


def test_the_first_process_is_the_one_that_counts(monkeypatch):
    monkeypatch.setattr(forks, "_first", None)
    forks.check_not_forked()
    forks.check_not_forked()
    monkeypatch.setattr(forks, "_first", os.getpid() + 1)
    with pytest.raises(RuntimeError, match=f"Received: process {os.getpid()}, forked"):
        forks.check_not_forked()
