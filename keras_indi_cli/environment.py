"""Installed packages and choice of the backend, without importing any of them.

Like the launcher, it is not part of `keras_indi`, which cannot be imported without a
backend. A missing backend must be reported too.
"""

import importlib.util
import os
import pathlib
import platform
import re
import runpy
import shutil
import sys

# On accelerators JAX compiles best; on a CPU TensorFlow's and PyTorch's own
# kernels train convolutions faster than XLA's (see benchmarks/).
ACCELERATOR_ORDER = ("jax", "torch", "tensorflow")
CPU_ORDER = ("tensorflow", "torch", "jax")

# Where the command keeps, for its own process, why it runs on its backend.
REASON = "KERAS_INDI_BACKEND_REASON"

# Of the package: run as a file, as importing it would import the package.
CPU_FILE = pathlib.Path(__file__).parents[1] / "keras_indi" / "backend" / "cpu.py"

NO_BACKEND = (
    "keras-indi needs TensorFlow, JAX or PyTorch, and none is installed. "
    'Install one: pip install "keras-indi[tensorflow]", '
    '"keras-indi[jax]" or "keras-indi[torch]".'
)


def installed_backends():
    """Return the names of the installed backends, the fastest on a CPU first."""
    return [name for name in CPU_ORDER if importlib.util.find_spec(name)]


def has_accelerator():
    """Whether there is an NVIDIA GPU's or a TPU's software."""
    return bool(shutil.which("nvidia-smi") or importlib.util.find_spec("libtpu"))


def choose_backend(environ, device="auto"):
    """Choose the installed backend that is fastest here.

    Args:
        environ: Dict, the environment; its `KERAS_BACKEND` stands.
        device: `"auto"`, or `"cpu"` to leave accelerators alone.

    Returns:
        Tuple of the backend's name, or `None` if none is installed, and a sentence
        why.
    """
    named = environ.get("KERAS_BACKEND")
    if named:
        return named, "KERAS_BACKEND names it"
    installed = installed_backends()
    if not installed:
        return None, "none is installed"
    accelerated = device != "cpu" and has_accelerator()
    order = ACCELERATOR_ORDER if accelerated else CPU_ORDER
    name = min(installed, key=order.index)
    where = "with an accelerator" if accelerated else "on a CPU"
    if len(installed) == 1:
        return name, "it is the only one installed"
    return name, f"{where} it is the fastest of those installed ({', '.join(order)})"


def version(distribution):
    """An installed distribution's version, or `None`."""
    from importlib import metadata  # slow to import, and not always needed

    try:
        return metadata.version(distribution)
    except metadata.PackageNotFoundError:
        return None


def missing_of_extras():
    """Return the missing distributions of each extra of keras-indi.

    Returns:
        Dict from names of extras to lists of missing distributions; empty if keras-indi
        itself is not installed.
    """
    from importlib import metadata

    try:
        requirements = metadata.requires("keras-indi") or []
    except metadata.PackageNotFoundError:
        return {}
    missing = {}
    for requirement in requirements:
        extra = re.search(r"extra == ['\"]([\w-]+)['\"]", requirement)
        elsewhere = "sys_platform != 'win32'" in requirement.replace('"', "'")
        if extra is None or (elsewhere and sys.platform == "win32"):
            continue
        name = re.match(r"[\w.-]+", requirement)[0]
        lacking = missing.setdefault(extra[1], [])
        if version(name) is None:
            lacking.append(name)
    return missing


def report(environ):
    """Lines on versions, backends, precision and optional parts.

    Args:
        environ: Dict, the environment.

    Returns:
        List of strings.
    """
    name, reason = choose_backend(environ)
    reason = environ.get(REASON, reason)
    lines = [
        f"keras-indi {version('keras-indi') or '(not installed)'}, "
        f"Keras {version('keras') or '(not installed)'}, "
        f"Python {platform.python_version()}, {platform.platform()}",
        "",
        "Backends:",
    ]
    installed = installed_backends()
    for backend in CPU_ORDER:
        found = version(backend) or "installed" if backend in installed else "missing"
        mend = f'pip install "keras-indi[{backend}]"' if found == "missing" else ""
        lines.append(f"  {backend:12}{found:12}{mend}".rstrip())
    if name is None:
        lines += ["", NO_BACKEND]
    else:
        lines += ["", f"Runs on {name}: {reason}."]
    features = runpy.run_path(str(CPU_FILE))["bfloat16_features"]()
    shown = "not known" if features is None else ", ".join(features) or "none"
    lines += ["", f"Processors: {os.cpu_count()}; bfloat16 instructions: {shown}"]
    missing = missing_of_extras()
    if missing:
        lines += ["", "Optional parts:"]
    for extra, lacking in missing.items():
        if extra in CPU_ORDER or extra == "test":
            continue
        shown = "present"
        if lacking:
            shown = f'lacks {", ".join(lacking)}: pip install "keras-indi[{extra}]"'
        lines.append(f"  {extra:12}{shown}")
    return lines
