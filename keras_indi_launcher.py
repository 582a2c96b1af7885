"""Starts the `keras-indi` command on the installed backend that is fastest here.

It stands outside the package because importing the package imports Keras, and
Keras fixes the backend when it is imported. Some settings of the backends must
even be in the environment before the process starts, hence the new process.
"""

import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import sys

# On accelerators JAX compiles best; on a CPU TensorFlow's and PyTorch's own
# kernels train convolutions faster than XLA's (see benchmarks/).
ACCELERATOR_ORDER = ("jax", "torch", "tensorflow")
CPU_ORDER = ("tensorflow", "torch", "jax")

# Images leave and enter the heap at every layer; glibc must be told to keep the
# memory instead of returning it to the system each time.
MALLOC_SETTINGS = {
    "MALLOC_MMAP_THRESHOLD_": "4294967296",
    "MALLOC_TRIM_THRESHOLD_": "4294967296",
}

# Trains convolutions 1.4 to 2.3 times faster on a CPU. XLA refuses to start with a
# flag that it does not know, hence the version.
JAX_CPU_FLAGS = {
    "0.10.2": "--xla_cpu_experimental_ynn_fusion_type=-individual_convolution"
}


def fastest_backend():
    """The name of the installed backend that is fastest on this machine.

    Raises:
        SystemExit: If no backend is installed.
    """
    installed = [name for name in CPU_ORDER if importlib.util.find_spec(name)]
    if not installed:
        raise SystemExit(
            "keras-indi needs TensorFlow, JAX or PyTorch, and none is installed. "
            'Install one: pip install "keras-indi[tensorflow]", '
            '"keras-indi[jax]" or "keras-indi[torch]".'
        )
    order = ACCELERATOR_ORDER if _has_accelerator() else CPU_ORDER
    return min(installed, key=order.index)


def environment(environ):
    """A copy of `environ` with what the command sets, where the user has not."""
    environ = dict(environ)
    if not environ.get("KERAS_BACKEND"):
        environ["KERAS_BACKEND"] = fastest_backend()
    environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    environ = {**MALLOC_SETTINGS, **environ}
    if environ["KERAS_BACKEND"] == "jax" and not _has_accelerator():
        flags = JAX_CPU_FLAGS.get(importlib.metadata.version("jax"))
        if flags:
            environ.setdefault("XLA_FLAGS", flags)
    return environ


def _has_accelerator():
    return bool(shutil.which("nvidia-smi") or importlib.util.find_spec("libtpu"))


def main():
    """The `keras-indi` command."""
    command = [sys.executable, "-m", "keras_indi.cli", *sys.argv[1:]]
    environ = environment(os.environ)
    if os.name == "posix":
        os.execve(sys.executable, command, environ)
    raise SystemExit(subprocess.call(command, env=environ))
