"""What is told where Apache Beam is missing."""

import subprocess
import sys

import pytest
from click.testing import CliRunner

from keras_indi_cli.__main__ import main

pytestmark = pytest.mark.backend_free

MISSING = 'needs Apache Beam. Install it: pip install "keras-indi[beam]"'


def test_the_import_and_the_command_name_what_installs_it(monkeypatch):
    for name in [*sys.modules]:
        if name.startswith("keras_indi.beam"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "apache_beam", None)
    with pytest.raises(ImportError) as error:
        import keras_indi.beam  # noqa: F401
    assert MISSING in str(error.value)
    result = CliRunner().invoke(main, ["beam", "in", "-o", "out", "--preset", "jpeg"])
    assert result.exit_code == 2 and MISSING in result.stderr


def test_restoring_imports_no_machine_learning_of_beams():
    pytest.importorskip("apache_beam", reason="needs Apache Beam: the extra `beam`")
    script = "import sys, keras_indi.beam; print('apache_beam.ml' in sys.modules)"
    command = [sys.executable, "-c", script]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    assert found.stdout.splitlines()[-1] == "False"
