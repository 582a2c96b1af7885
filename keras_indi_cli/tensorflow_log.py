"""Suppression of TensorFlow's log messages during its import.

TensorFlow writes six lines to standard error before its log is set up, so its own
setting (`TF_CPP_MIN_LOG_LEVEL`) does not affect them.
"""

import contextlib
import importlib.util
import os
import re
import sys
import tempfile

LINE = re.compile(rb"(WARNING: All log messages before absl|I\d{4} \d\d:\d\d:)")


class QuietTensorFlow:
    """Import finder that imports TensorFlow once, without its log."""

    def find_spec(self, name, path=None, target=None):
        if name != "tensorflow":
            return None
        # Found by those that come next, and loaded by itself.
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        if spec is not None:
            load = spec.loader.exec_module

            def load_quietly(module):
                with without_log():
                    load(module)

            spec.loader.exec_module = load_quietly
        return spec


@contextlib.contextmanager
def without_log():
    """A context whose standard error is written at its end, without TensorFlow's log.

    Also that of libraries, which know the file by its number alone.
    """
    sys.stderr.flush()
    before = os.dup(2)
    with tempfile.TemporaryFile() as file:
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(before, 2)
            os.close(before)
            file.seek(0)
            for line in file:
                if not LINE.match(line):
                    os.write(2, line)


def leave_out_log():
    """Import TensorFlow without its log from now on, unless the log is wished for."""
    if os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3") == "3":
        sys.meta_path.insert(0, QuietTensorFlow())
