"""Whether Beam's worker processes on this machine find the package."""

import os
import pathlib
import subprocess
import sys
from typing import Any

import keras_indi
from keras_indi.beam.apache import pipeline_options

FIND = """
import importlib.util
found = importlib.util.find_spec("keras_indi")
print(found.origin if found else "")
"""


def check_workers(pipeline: Any) -> None:
    """Raise unless new processes of Python import this very package.

    Workers inherit the environment and the working directory, but not what a program
    added to `sys.path`. Beam finds out late, and some ways never.

    Args:
        pipeline: `beam.Pipeline`, or its beginning, checked if its local runner starts
            processes.

    Raises:
        ValueError: If they find none, or another one.
    """
    pipeline = getattr(pipeline, "pipeline", pipeline)
    direct = pipeline.options.view_as(pipeline_options.DirectOptions)
    if direct.direct_running_mode != "multi_processing":
        return
    command = [sys.executable, "-c", FIND]
    printed = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    found = (printed.stdout.splitlines() or [""])[-1]
    own = str(keras_indi.__file__)
    if os.path.realpath(found or os.sep) != os.path.realpath(own):
        folder = pathlib.Path(own).absolute().parents[1]
        raise ValueError(
            "Worker processes must import the `keras_indi` that this process uses: "
            f"install it, or set PYTHONPATH={folder}. Received: {found or 'none'} "
            f"instead of {own}"
        )
