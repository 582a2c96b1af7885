"""Commands in process groups of their own, which are killed, and what they left."""

import contextlib
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

import runs

LIMIT = 1500  # seconds, for one job


class Job:
    """A command in a process group of its own, which is ended with the context.

    Args:
        arguments: List of arguments of `keras-indi`, with `runs.OUT` among them.
        output: `pathlib.Path` of the output directory, beside which its log lies.
        environ: Dict, the environment.
        limit: Seconds that it may take.
    """

    def __init__(self, arguments, output, environ, limit=LIMIT):
        self.output = output
        self.log = output.with_name(f"{output.name}.log")
        self._limit = limit
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                runs.command(arguments, output),
                env=environ,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        while self.workers():  # which may write until they are gone
            time.sleep(0.02)

    @property
    def printed(self):
        return self.log.read_text(errors="replace")[-3000:]

    def until(self, wanted, what):
        """Waits for a condition, or fails with what the job printed."""
        end = time.monotonic() + self._limit
        while not (found := wanted()):
            assert time.monotonic() < end, f"{what} took too long:\n{self.printed}"
            assert self.process.poll() is None, f"ended before {what}:\n{self.printed}"
            time.sleep(0.02)
        return found

    def until_restored(self, count):
        """Waits until at least so many results are there."""
        self.until(lambda: len(results(self.output)) >= count, f"{count} results")

    def workers(self):
        """The processes' numbers of Beam's workers."""
        found = []
        for path in pathlib.Path("/proc").glob("[0-9]*"):
            try:
                command = (path / "cmdline").read_bytes()
                group = os.getpgid(int(path.name))
            except (OSError, ValueError):
                continue
            # Not the shells that Beam starts them by.
            started = command.startswith(f"{sys.executable}\0".encode())
            if group == self.process.pid and started and b"sdk_worker" in command:
                found.append(int(path.name))
        return found

    def finish(self, status=1):
        """Waits for its end, by default with failed files; what it printed."""
        found = self.process.wait(self._limit)
        assert found == status, self.printed
        return self.printed


def results(folder):
    """Dict of the names of results to their paths."""
    found = runs.visible(folder)
    found.pop("manifest.jsonl", None)
    return found


def contents(folder):
    """Dict of the names of results to their bytes."""
    return {name: path.read_bytes() for name, path in results(folder).items()}


def entries(output):
    """The lines of a manifest."""
    lines = (output / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
    return [json.loads(line) for line in lines]
