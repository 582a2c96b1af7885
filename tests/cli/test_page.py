"""`keras-indi page`: what is checked before it serves."""

import socket
import sys

import pytest
from click.testing import CliRunner

from keras_indi_cli.__main__ import main

pytestmark = pytest.mark.backend_free


def run(*arguments):
    return CliRunner().invoke(main, ["page", *arguments])


def test_wrong_options_end_it():
    result = run("--port", "70000")
    assert result.exit_code == 2 and "--port" in result.output
    result = run("--preset", "no_such_preset")
    assert result.exit_code == 2 and "no_such_preset" in result.output


def test_a_taken_port_is_named():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("--port", str(port))
    assert result.exit_code == 2
    assert "Pass another --port" in result.output and f"port={port}" in result.output


def test_without_gradio_it_names_the_command(monkeypatch):
    monkeypatch.setitem(sys.modules, "gradio", None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    result = run("--port", str(port))
    assert result.exit_code == 2
    assert 'pip install "keras-indi[page]"' in result.output
