"""What TensorFlow logs while it is imported."""

import os
import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
# Writes to the standard error as libraries do, and as Python does.
TENSORFLOW = """
import os, sys
os.write(2, b"WARNING: All log messages before absl::InitializeLog() is called\\n")
os.write(2, b"I0000 00:00:1795 1 port.cc:153] oneDNN custom operations are on.\\n")
os.write(2, b"E0000 00:00:1795 1 cuda.cc:7] no driver\\n")
print("a warning of Python", file=sys.stderr)
value = 3
"""


@pytest.mark.backend_free
@pytest.mark.parametrize("level, shown", [("3", False), ("0", True)])
@pytest.mark.parametrize("fails", [False, True])
def test_only_the_log_is_left_out(tmp_path, level, shown, fails):
    (tmp_path / "tensorflow").mkdir()
    text = TENSORFLOW + ("import no_such_module" if fails else "")
    (tmp_path / "tensorflow" / "__init__.py").write_text(text)
    code = (
        "from keras_indi_cli.tensorflow_log import leave_out_log; leave_out_log();"
        "import tensorflow; print(tensorflow.value, tensorflow.__name__)"
    )
    paths = os.pathsep.join([str(tmp_path), str(ROOT)])
    environ = {**os.environ, "PYTHONPATH": paths, "TF_CPP_MIN_LOG_LEVEL": level}
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert ("no_such_module" in done.stderr) == fails
    assert done.stdout == ("" if fails else "3 tensorflow\n")
    assert ("oneDNN" in done.stderr) == ("absl" in done.stderr) == shown
    assert "no driver" in done.stderr and "a warning of Python" in done.stderr
