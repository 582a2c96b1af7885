"""The files of a preset, and how its JSON is read."""

import json
import pathlib

CONFIG_FILE = "config.json"  # the backbone
TASK_FILE = "task.json"  # the restorer
WEIGHTS_FILE = "model.weights.h5"  # the backbone's
METADATA_FILE = "metadata.json"
CARD_FILE = "README.md"

# In the order in which they are moved into place: without its metadata, a folder
# is no preset.
FILES = (WEIGHTS_FILE, CONFIG_FILE, TASK_FILE, CARD_FILE, METADATA_FILE)


def is_preset(folder):
    """Whether a folder holds what no preset is without."""
    folder = pathlib.Path(folder)
    return all((folder / name).is_file() for name in (CONFIG_FILE, METADATA_FILE))


def read_json(path):
    """The dict in a JSON file.

    Raises:
        ValueError: If the file holds none.
    """
    try:
        content = json.loads(pathlib.Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(
            f"A preset's {path.name} must be JSON: {error}. Received: {path}"
        ) from error
    if not isinstance(content, dict):
        raise ValueError(
            f"A preset's {path.name} must hold a JSON object. Received: {path}, "
            f"with a {type(content).__name__}"
        )
    return content


def as_json(content):
    """The text of a JSON file."""
    return json.dumps(content, indent=2, allow_nan=False) + "\n"
