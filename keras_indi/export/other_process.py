"""Conversion in a process of its own, on TensorFlow, for models of other backends."""

import contextlib
import json
import os
import pathlib
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from typing import Any

import keras

from keras_indi.export.settings import Settings
from keras_indi.models.restorer import Restorer

PACKAGE = pathlib.Path(__file__).parents[1]
SECONDS = 3600


def convert(
    model: Restorer, settings: Settings, metadata: dict[str, Any], path: pathlib.Path
) -> None:
    """Write the file itself, as `exporting.convert` does.

    Raises:
        RuntimeError: If the process fails, with what it said.
    """
    with tempfile.TemporaryDirectory(dir=path.parent) as folder, _pipe() as pipe:
        saved, job = pathlib.Path(folder, "model.keras"), pathlib.Path(folder, "job")
        model.save(saved)
        content = {
            "model": str(saved.resolve()),
            "settings": settings.as_dict(),
            "metadata": metadata,
            "path": str(path.resolve()),
            "modules": _modules(),
        }
        job.write_text(json.dumps(content), encoding="utf-8")
        result = subprocess.run(
            [sys.executable, "-m", "keras_indi.export.worker", str(job)],
            env={
                **os.environ,
                "KERAS_BACKEND": "tensorflow",
                "TF_CPP_MIN_LOG_LEVEL": "3",
                # What this process imports, the other one finds too.
                "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path]),
                # And no module of the current folder beside.
                "PYTHONSAFEPATH": "1",
                "TMPDIR": str(pathlib.Path(folder).resolve()),
            },
            stdin=pipe,
            capture_output=True,
            text=True,
            timeout=SECONDS,
        )
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(
            f"The process on TensorFlow that exports the model failed: {lines[-1]} "
            "(Classes of your own must be registered with Keras, in modules that it "
            f"can import.) Received: model={model!r}"
        )


@contextlib.contextmanager
def _pipe() -> Iterator[int]:
    """What another process reads, to end when this one does, however that ends."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


def _modules() -> list[str]:
    """The modules that have registered classes with Keras, but ours."""
    registered = keras.saving.get_custom_objects().values()
    modules = {found.__module__ for found in registered}
    return sorted(m for m in modules if m.partition(".")[0] != PACKAGE.name)
