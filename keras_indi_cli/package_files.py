"""Reading of the package's files without importing the package."""

import ast
import functools
import pathlib
import runpy

PACKAGE = pathlib.Path(__file__).parents[1] / "keras_indi"

# The files in which `BUILTIN` is a `keras_indi.registry.Registry`.
REGISTRIES = {
    "samplers": "samplers/__init__.py",
    "time_grids": "schedules/time_grid.py",
    "noise_schedules": "schedules/noise_schedule.py",
    "time_distributions": "schedules/time_distribution.py",
    "degradations": "data/degradations/__init__.py",
    "metrics": "metrics/__init__.py",
    "export_formats": "export/formats.py",
}


def version() -> str:
    """Return the version of the package."""
    return runpy.run_path(str(PACKAGE / "version.py"))["__version__"]


@functools.cache
def registered_names(registry: str) -> tuple[str, ...]:
    """Return the names in a registry.

    Args:
        registry: String, a key of `REGISTRIES`.
    """
    text = (PACKAGE / REGISTRIES[registry]).read_text(encoding="utf-8")
    for node in ast.parse(text).body:
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Call):
            if ast.unparse(node.targets[0]) == "BUILTIN":
                return tuple(ast.literal_eval(node.value.args[1]))
    raise LookupError(f"{REGISTRIES[registry]} defines no registry `BUILTIN`")
