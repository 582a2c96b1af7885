"""Import of Gradio without requests to other hosts."""

import os
import pathlib
import types

from keras_indi.optional_packages import optional_import

QUIET = {"GRADIO_ANALYTICS_ENABLED": "False", "HF_HUB_DISABLE_TELEMETRY": "1"}


def import_gradio(folder: pathlib.Path) -> types.ModuleType:
    """Import Gradio without analytics, with its uploads in a given folder.

    Args:
        folder: `pathlib.Path`, where Gradio keeps uploads and the files it serves.

    Raises:
        ImportError: If it is not installed.
    """
    # It reads these when it is imported, and when components are made.
    os.environ.update(QUIET)
    os.environ["GRADIO_TEMP_DIR"] = str(folder)
    return optional_import("gradio", extra="page", purpose="The page")
