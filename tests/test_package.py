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
]

MAY_IMPORT_A_BACKEND = {
    "inference/compiled.py",
    "layers/convolution.py",
    # Layers of KerasCV compute in TensorFlow and draw from its generators.
    "data/degradations/keras_layer_degradation.py",
    # The weights of published networks are PyTorch's files, on any backend.
    "metrics/weights.py",
    # TensorFlow, where the user asks for a tf.data.Dataset of the pairs.
    "data/pairs.py",
}

# What each room may import of the package. Those of one line know each other.
FLOORS = [
    {"broadcasting", "configurable", "files", "version"},
    {"diffusion_process", "process", "layers"},
    {"schedules"},
    {"samplers"},
    {"inference"},
    # Presets know no model: a class that is loaded from one hands itself over.
    {"presets"},
    {"models"},
    {"evaluation", "export"},
    {"callbacks"},
    {"restoring", "training"},
    {"cli", "app"},
]
# Data and metrics stand beside: they know no model.
BESIDE = {"data", "metrics"}


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


def room(path):
    return path.relative_to(ROOT).with_suffix("").parts[0]


def floor(name):
    """How high a room lies, or `None` for what stands beside."""
    if name in BESIDE:
        return None
    found = [level for level, names in enumerate(FLOORS) if name in names]
    assert found, f"`{name}` has no place among the floors"
    return found[0]


def test_the_scan_reads_the_package():
    assert ROOT / "models" / "indi.py" in FILES
    names = set(imported_names(ROOT / "models" / "restorer.py"))
    assert {"keras", "keras_indi.presets.PresetModel"} <= names
    assert "keras_indi.inference.moves" in names


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_files_import_what_they_may(path):
    names = set(imported_names(path))
    where = path.relative_to(ROOT).as_posix()
    assert not [name for name in names if name.startswith("keras.src")]
    if where not in MAY_IMPORT_A_BACKEND:
        assert not BACKENDS & {name.split(".")[0] for name in names}
    if where in ("__init__.py", "version.py"):
        return
    own = floor(room(path))
    for name in names:
        if not name.startswith("keras_indi."):
            continue
        used = name.split(".")[1]
        if used == room(path) or floor(used) == 0:
            continue
        if own is None:  # data and metrics
            # What compiles a function knows no model.
            compiles = name.startswith("keras_indi.inference.compiled")
            assert compiles or floor(used) == floor("process"), (
                f"{where} imports {name}"
            )
        elif floor(used) is None:
            assert own > floor("models"), f"{where} imports {name}"
        else:
            assert floor(used) < own, f"{where} imports {name}"


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
    rooms = ["callbacks", "data", "layers", "models", "presets", "process"]
    for name in [*rooms, "samplers", "schedules"]:
        assert getattr(keras_indi, name).__name__ == f"keras_indi.{name}"
