"""Commands in processes that need not load Keras and its backend, each their own."""

import json
import os
import pathlib
import select
import signal
import subprocess
import sys
import tempfile


class ForkedCommands:
    """Runs commands of `keras-indi`, one at a time, that a process forks.

    That process has imported the package, the backend and what the commands use, and
    does nothing else, so that a fork of it is what a new process is once it has loaded
    all that: seconds later.

    Args:
        environ: Dict, the environment of the processes.
    """

    def __init__(self, environ):
        self._errors = tempfile.NamedTemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, __file__, self._errors.name],
            env=environ,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )

    def __enter__(self):
        return self

    def __exit__(self, *arguments):
        self._process.kill()
        self._process.communicate()

    def start(self, arguments):
        """Starts a command, a list of strings."""
        self._process.stdin.write(json.dumps(arguments).encode() + b"\n")
        self.pid = int(self._process.stdout.readline())
        self.returncode = None

    def wait(self, seconds=None):
        """Returns its status; raises `subprocess.TimeoutExpired` if it runs still."""
        if self.returncode is None:
            if not select.select([self._process.stdout], [], [], seconds)[0]:
                raise subprocess.TimeoutExpired("keras-indi", seconds)
            self.returncode = int(self._process.stdout.readline())
        return self.returncode

    def is_running(self):
        """Whether it runs still."""
        try:
            self.wait(0)
        except subprocess.TimeoutExpired:
            return True
        return False

    def kill(self):
        """Kills it, unless it has ended meanwhile."""
        if self.is_running():
            os.kill(self.pid, signal.SIGKILL)
        self.wait()

    @property
    def error(self):
        """What it has written to its standard error."""
        return pathlib.Path(self._errors.name).read_text(errors="replace")


def serve(errors):
    """Forks a process for each line of arguments; prints its number and its status."""
    import matplotlib.pyplot  # noqa: F401

    import keras_indi.evaluation
    import keras_indi.restoration
    import keras_indi.training  # noqa: F401
    from keras_indi_cli.__main__ import main

    for line in sys.stdin:
        number = os.fork()
        if number == 0:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
            os.dup2(os.open(errors, os.O_WRONLY | os.O_TRUNC), 2)
            status = 1
            try:
                main(json.loads(line), prog_name="keras-indi")
            except SystemExit as end:
                status = end.code or 0
            finally:
                sys.stderr.flush()
                os._exit(status)
        print(number, flush=True)
        status = os.waitpid(number, 0)[1]
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    serve(sys.argv[1])
