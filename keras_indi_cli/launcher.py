"""Launcher of the `keras-indi` command on the fastest installed backend.

It is not part of `keras_indi`, because importing that imports Keras, which fixes the
backend. Some backend settings must be in the environment before the process starts, so
the launcher starts a new process.
"""

import os
import subprocess
import sys

from keras_indi_cli.environment import (
    NO_BACKEND,
    REASON,
    choose_backend,
    has_accelerator,
    installed_backends,
    report,
    version,
)

# Images leave and enter the heap at every layer; glibc must be set to keep the
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

# What hides accelerators from a backend, for `--device cpu`.
CPU_SETTINGS = {"CUDA_VISIBLE_DEVICES": "-1", "JAX_PLATFORMS": "cpu"}


def device_of(arguments):
    """The value of the option `--device` among a command's arguments."""
    device = "auto"
    for argument, following in zip(arguments, [*arguments[1:], ""]):
        if argument == "--device":
            device = following
        elif argument.startswith("--device="):
            device = argument.partition("=")[2]
    return device


def environment(environ, device="auto"):
    """Return a copy of `environ` with the command's settings, unless set by the user.

    Args:
        environ: Dict.
        device: `"cpu"` hides accelerators from the backend.

    Raises:
        SystemExit: If no backend is installed.
    """
    environ = dict(environ)
    backend, reason = choose_backend(environ, device)
    if backend is None:
        print(NO_BACKEND, file=sys.stderr)
        raise SystemExit(2)  # as for any missing package; 1 is of images that failed
    environ["KERAS_BACKEND"] = backend
    environ[REASON] = reason
    environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    # Or modules would be imported from the current folder, which holds what it may:
    # photographs from elsewhere, a click.py beside them.
    environ.setdefault("PYTHONSAFEPATH", "1")
    environ = {**MALLOC_SETTINGS, **environ}
    on_cpu = device == "cpu" or not has_accelerator()
    if device == "cpu":
        environ.update(CPU_SETTINGS)
    if backend == "jax" and on_cpu:
        flags = JAX_CPU_FLAGS.get(version("jax"))
        if flags:
            environ.setdefault("XLA_FLAGS", flags)
    return environ


def open_standard_streams():
    """Open closed standard streams on the null device, for the new process too.

    Otherwise the next file that is opened, such as an output, gets the number of the
    stream, and with it what libraries print there.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)


def main():
    """The `keras-indi` command."""
    open_standard_streams()
    arguments = sys.argv[1:]
    environ = dict(os.environ)
    if installed_backends() or arguments != ["info"]:
        environ = environment(environ, device_of(arguments))
    if arguments == ["info"]:
        # This much is known where the package cannot be imported; it adds the rest.
        print("\n".join(report(environ)), flush=True)
        if not installed_backends():
            raise SystemExit(1)
    command = [sys.executable, "-m", "keras_indi_cli", *arguments]
    if os.name == "posix":
        os.execve(sys.executable, command, environ)
    raise SystemExit(subprocess.call(command, env=environ))
