"""Conversion in a separate process with TensorFlow, for models of other backends."""

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
    """Write the exported file, like `exporting.convert`, in a separate process.

    Raises:
        RuntimeError: If the process fails, with its message.
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
        try:
            result = subprocess.run(
                [sys.executable, "-m", "keras_indi.export.worker", str(job)],
                env={
                    **os.environ,
                    "KERAS_BACKEND": "tensorflow",
                    "TF_CPP_MIN_LOG_LEVEL": "3",
                    # The other process finds the modules that this one imports.
                    "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path]),
                    # And no modules of the current folder.
                    "PYTHONSAFEPATH": "1",
                    "TMPDIR": str(pathlib.Path(folder).resolve()),
                },
                stdin=pipe,
                capture_output=True,
                text=True,
                timeout=SECONDS,
            )
        except subprocess.TimeoutExpired as error:
            raise RuntimeError(
                "The process on TensorFlow that exports the model was ended after "
                f"{SECONDS} seconds. Received: model={model!r}"
            ) from error
    if result.returncode:
        lines = result.stderr.strip().splitlines() or ["it said nothing"]
        raise RuntimeError(
            f"The process on TensorFlow that exports the model failed: {lines[-1]} "
            "(Classes of your own must be registered with Keras, in modules that it "
            f"can import.) Received: model={model!r}"
        )


@contextlib.contextmanager
def _pipe() -> Iterator[int]:
    """A pipe that lets another process detect the end of this one."""
    read, write = os.pipe()
    try:
        yield read
    finally:
        os.close(read)
        os.close(write)


def _modules() -> list[str]:
    """Return the modules outside this package that registered classes with Keras."""
    registered = keras.saving.get_custom_objects().values()
    modules = {found.__module__ for found in registered}
    return sorted(m for m in modules if m.partition(".")[0] != PACKAGE.name)
