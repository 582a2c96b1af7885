"""What importing the package does, and what its files may import."""

import ast
import pathlib
import subprocess
import sys

import pytest

import keras_indi

ROOT = pathlib.Path(keras_indi.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
BACKENDS = {"tensorflow", "jax", "torch"}
OPTIONAL = [
    "tensorflow_datasets",
    "array_record",
    "keras_cv",
    "PIL",
    "cv2",
    "skimage",
    "matplotlib",
    "tensorboard",
    "grain",
    "tifffile",
    "yaml",
    "huggingface_hub",
    "kagglehub",
    "fsspec",
    "gcsfs",
    "imagecodecs",
    "zarr",
    "apache_beam",
    "onnx",
    "onnxruntime",
    "openvino",
    "tf2onnx",
    "gradio",
]

# What each room may import of the package: what lies below, and nothing beside.
FLOORS = [
    {"annotations", "optional_packages", "registry", "validation", "version"},
    {"backend", "broadcasting", "configurable", "images", "value_range"},
    # Data and metrics know no model, and layers no image files.
    {"data", "diffusion_process", "layers", "metrics", "process"},
    {"schedules"},
    {"samplers"},
    {"inference"},
    # Presets know no model: a class that is loaded from one hands itself over.
    {"presets"},
    {"models"},
    {"evaluation", "export"},
    {"callbacks"},
    {"restoration", "training"},
    {"beam", "page"},
]


def imported_names(path):
    """All modules that a file imports, anywhere in it, by their full names."""
    package = path.relative_to(ROOT.parent).with_suffix("").parts[:-1]
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                module = ".".join([*package[: len(package) - node.level + 1], module])
            yield from (f"{module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and node.args:
            called, first = getattr(node.func, "id", ""), node.args[0]
            if called == "optional_import" and isinstance(first, ast.Constant):
                yield first.value


def room(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


def floor(name):
    """How high a room lies."""
    found = [level for level, names in enumerate(FLOORS) if name in names]
    assert found, f"`{name}` has no place among the floors"
    return found[0]


def test_the_scan_reads_the_package():
    assert ROOT / "models" / "indi.py" in FILES
    names = set(imported_names(ROOT / "models" / "restorer.py"))
    assert {"keras", "keras_indi.inference.engine.Engine"} <= names
    assert "keras_indi.inference.inputs" in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_import_what_they_may(path):
    names = set(imported_names(path))
    where = path.relative_to(ROOT).as_posix()
    modules = {name.split(".")[0] for name in names}
    assert not [name for name in names if name.startswith("keras.src")]
    assert "keras_indi_cli" not in modules
    if room(path) != "backend":
        assert not BACKENDS & modules
    if where == "__init__.py":
        return
    for name in names:
        used = name.split(".")[1] if name.startswith("keras_indi.") else room(path)
        if used != room(path):
            assert floor(used) < floor(room(path)), f"{where} imports {name}"


def test_what_runs_before_the_package_imports_nothing_of_it():
    paths = sorted(ROOT.with_name("keras_indi_cli").glob("*.py"))
    assert len(paths) >= 4
    for path in paths:
        modules = {name.split(".")[0] for name in imported_names(path)}
        known = {*sys.stdlib_module_names, "keras_indi_cli"}
        assert modules <= (known | {"click"} if path.stem == "__main__" else known)


def folders_with(pattern, top):
    """The folders below `top` that hold such files, by their paths from there."""
    paths = {path.parent.relative_to(top) for path in top.rglob(pattern)}
    return {path.as_posix() for path in paths}


def test_the_tests_mirror_the_package():
    tests = pathlib.Path(__file__).parent
    # A data set is a folder for tfds's sake: all are tested in one file.
    sets = {path.parent for path in ROOT.glob("data/tfds/*/*_builder.py")}
    rooms = folders_with("[!_]*.py", ROOT) - {
        path.relative_to(ROOT).as_posix() for path in sets
    }
    assert {".", "data/degradations", "models"} < rooms
    # Beside the package: campaigns, the command line, and the examples.
    assert folders_with("test_*.py", tests) == rooms | {"campaigns", "cli", "examples"}


def test_importing_loads_nothing_optional(tmp_path):
    # Keras itself, and the backend, may load some of them.
    script = (
        "import sys, keras; before = set(sys.modules); import keras_indi; "
        f"print([name for name in {OPTIONAL} if name in {{*sys.modules}} - before])"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip().splitlines()[-1] == "[]"
    assert list(tmp_path.iterdir()) == []  # no file is made


def test_public_face():
    assert keras_indi.__version__.count(".") == 2
    rooms = ["callbacks", "data", "images", "layers", "models", "presets", "process"]
    for name in [*rooms, "restoration", "samplers", "schedules"]:
        assert getattr(keras_indi, name).__name__ == f"keras_indi.{name}"
