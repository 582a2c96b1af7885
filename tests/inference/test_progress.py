"""The progress bar of work that turns out to be long."""

import re
import sys
import time

import pytest

from keras_indi.inference.progress import Progress

pytestmark = pytest.mark.backend_free


def test_the_first_unit_tells_the_time_left(capsys):
    progress = Progress(3, verbose=1, unit="image")
    time.sleep(0.1)
    progress.advance()
    shown = re.findall(r"(\d+)ms/image", capsys.readouterr().out)
    assert shown and 90 <= int(shown[0])


def test_what_is_short_shows_nothing(capsys):
    for verbose in ("auto", 0):
        progress = Progress(2, verbose)
        progress.advance()
        progress.advance()
    assert capsys.readouterr().out == ""


def test_a_function_is_called_before_the_first_unit_and_after_each(capsys):
    calls = []
    progress = Progress(2, lambda done, total: calls.append((done, total)))
    progress.advance()
    progress.advance()
    assert calls == [(0, 2), (1, 2), (2, 2)]
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize("terminal", [True, False])
def test_what_is_long_shows_a_bar_on_a_terminal_alone(capsys, monkeypatch, terminal):
    monkeypatch.setattr(Progress, "PATIENCE", 0.0)
    monkeypatch.delitem(sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: terminal)
    Progress(2).advance()
    assert bool(capsys.readouterr().out) == terminal
