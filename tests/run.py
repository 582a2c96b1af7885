"""Runs the linter, mypy, then the tests on every installed backend in turn.

    python tests/run.py [pytest arguments]

The slow tests, and those that do not depend on the backend, run on the first
backend alone. The exit status is 0 only if all
passed.
"""

import importlib.util
import os
import pathlib
import subprocess
import sys

BACKENDS = ("tensorflow", "jax", "torch")
ROOT = pathlib.Path(__file__).parent.parent


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
        commands.append(("pytest", [*marked, *arguments], {"KERAS_BACKEND": backend}))
    failed = []
    for command, extra, environ in commands:
        shown = " ".join([*(f"{k}={v}" for k, v in environ.items()), command, *extra])
        print(f"\n=== {shown}", flush=True)
        status = subprocess.call(
            [sys.executable, "-m", *command.split(), *extra],
            cwd=ROOT,
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", **environ},
        )
        if status:
            failed.append(shown)
    for shown in failed:
        print(f"FAILED: {shown}", file=sys.stderr)
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
