"""Imports of Beam's worker processes: the package and modules of the user."""

import importlib
import os
import pathlib
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import keras_indi
from keras_indi.beam.apache import pipeline_options

FIND = """
import importlib.util
import sys

for name in sys.argv[1:] or ["keras_indi"]:
    try:
        found = importlib.util.find_spec(name)
    except ImportError:
        found = None
    print(found.origin if found else "")
"""


def import_modules(modules: Sequence[str]) -> tuple[str, ...]:
    """Import modules of the user that register classes with Keras.

    Args:
        modules: Sequence of strings, names of the modules.

    Returns:
        Tuple of the names.

    Raises:
        ValueError: If `modules` is not a sequence of strings.
        ImportError: If a module cannot be imported.
    """
    listed = isinstance(modules, Sequence) and not isinstance(modules, str)
    if not listed or not all(isinstance(name, str) for name in modules):
        raise ValueError(
            "`modules` must be a list of names of Python modules. Received: "
            f"modules={modules!r}"
        )
    for name in modules:
        importlib.import_module(name)
    return tuple(modules)


def check_workers(pipeline: Any, modules: Sequence[str] = ()) -> None:
    """Raise unless new Python processes import this package and the modules.

    Workers inherit the environment and the working directory, but not changes of
    `sys.path`. Beam reports such errors late or not at all.

    Args:
        pipeline: `beam.Pipeline`, or its beginning. It is checked if its local runner
            starts processes.
        modules: Sequence of strings, names of modules that workers import too.

    Raises:
        ValueError: If they find no package, or another one.
    """
    pipeline = getattr(pipeline, "pipeline", pipeline)
    direct = pipeline.options.view_as(pipeline_options.DirectOptions)
    if direct.direct_running_mode != "multi_processing":
        return
    command = [sys.executable, "-c", FIND, "keras_indi", *modules]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    count = 1 + len(modules)
    found, *others = (printed.stdout.splitlines() or [""] * count)[-count:]
    own = str(keras_indi.__file__)
    if os.path.realpath(found or os.sep) != os.path.realpath(own):
        folder = pathlib.Path(own).absolute().parents[1]
        raise ValueError(
            "Worker processes must import the `keras_indi` that this process uses: "
            f"install it, or set PYTHONPATH={folder}. Received: {found or 'none'} "
            f"instead of {own}"
        )
    missing = [name for name, origin in zip(modules, others) if not origin]
    if missing:
        raise ValueError(
            "Worker processes must find the modules: install them, or add their folder "
            f"to PYTHONPATH. Received: modules={missing}"
        )
