"""The process that `other_process.convert` starts, with the path of its job."""

import contextlib
import importlib
import json
import pathlib
import sys

from keras_indi.export.exporting import convert
from keras_indi.export.settings import Settings
from keras_indi.models.loading import load_restorer

if __name__ == "__main__":
    job = json.loads(pathlib.Path(sys.argv[1]).read_text(encoding="utf-8"))
    for module in job["modules"]:
        with contextlib.suppress(ImportError):  # it may not be needed
            importlib.import_module(module)
    restorer = load_restorer(job["model"], "float32")
    settings = Settings(**job["settings"])
    convert(restorer, settings, job["metadata"], pathlib.Path(job["path"]))
