"""Runs the linter, mypy, then the tests on every installed backend in turn.

    python tests/run.py [pytest arguments]

The slow tests, and those that do not depend on the backend, run on the first
backend alone. The tests of a backend are shared among as many processes as there are
cores. The exit status is 0 only if all passed.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys
import time

BACKENDS = ("tensorflow", "jax", "torch")
ROOT = pathlib.Path(__file__).parent.parent
# Each process begins with a part of the files, whose tests share what is compiled; one
# that is done takes tests from the others, so that all end together.
SHARED = ["-n", str(os.cpu_count()), "--dist", "worksteal"]
ENVIRON = {
    "TF_CPP_MIN_LOG_LEVEL": "3",
    # Each process has a core of its own: more threads would wait for each other.
    "OMP_NUM_THREADS": "1",
    "TF_NUM_INTRAOP_THREADS": "1",
    "TF_NUM_INTEROP_THREADS": "1",
}


def main(arguments):
    installed = [name for name in BACKENDS if importlib.util.find_spec(name)]
    if not installed:
        raise SystemExit(f"Install a backend first, one of {', '.join(BACKENDS)}.")
    commands = [
        ("ruff check", [], {}),
        ("ruff format --check", [], {}),
        ("mypy", [], {}),
    ]
    for backend in installed:
        marked = (
            [] if backend == installed[0] else ["-m", "not slow and not backend_free"]
        )
        commands.append(
            ("pytest", [*SHARED, *marked, *arguments], {"KERAS_BACKEND": backend})
        )
    failed = []
    for command, extra, environ in commands:
        shown = " ".join([*(f"{k}={v}" for k, v in environ.items()), command, *extra])
        print(f"\n=== {shown}", flush=True)
        start = time.monotonic()
        status = subprocess.call(
            [sys.executable, "-m", *command.split(), *extra],
            cwd=ROOT,
            env={**ENVIRON, **os.environ, **environ},
        )
        print(f"=== {time.monotonic() - start:.0f} s", flush=True)
        if status:
            failed.append(shown)
    for shown in failed:
        print(f"FAILED: {shown}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
