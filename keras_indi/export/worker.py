"""Worker process started by `other_process.convert` with the path of its job."""

import contextlib
import importlib
import json
import os
import pathlib
import sys
import threading

from keras_indi.export.exporting import convert
from keras_indi.export.settings import Settings
from keras_indi.models.loading import load_restorer


def end_with_parent() -> None:
    """End this process when its parent process is killed."""
    os.read(0, 1)  # nothing is written: it returns at the end
    os._exit(1)


if __name__ == "__main__":
    threading.Thread(target=end_with_parent, daemon=True).start()
    job = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    for module in job["modules"]:
        with contextlib.suppress(ImportError):  # it may not be needed
            importlib.import_module(module)
    settings = Settings(**job["settings"])
    restorer = load_restorer(job["model"], settings.dtype)
    convert(restorer, settings, job["metadata"], pathlib.Path(job["path"]))
