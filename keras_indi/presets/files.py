"""Files of a preset, and reading of its JSON."""

import json
import math
import pathlib

CONFIG_FILE = "config.json"  # the backbone
TASK_FILE = "task.json"  # the restorer
WEIGHTS_FILE = "model.weights.h5"  # the backbone's
METADATA_FILE = "metadata.json"
CARD_FILE = "README.md"

# A preset's texts are kilobytes; a network of a thousand layers is one of a megabyte.
MAX_TEXT_BYTES = 2**24

# In the order in which they are moved into place: without its metadata, a folder
# is no preset.
FILES = (WEIGHTS_FILE, CONFIG_FILE, TASK_FILE, CARD_FILE, METADATA_FILE)


def is_preset(folder):
    """Return whether a folder holds the required files of a preset."""
    folder = pathlib.Path(folder)
    return all((folder / name).is_file() for name in (CONFIG_FILE, METADATA_FILE))


def read_text(path):
    """Read a text file of a preset.

    Raises:
        ValueError: If it is not UTF-8, or too large.
    """
    size = path.stat().st_size
    if size > MAX_TEXT_BYTES:
        raise ValueError(
            f"A preset's {path.name} must be of at most {MAX_TEXT_BYTES} bytes. "
            f"Received: {path} of {size} bytes"
        )
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise ValueError(
            f"A preset's {path.name} must be text in UTF-8: {error}. Received: {path}"
        ) from error


def read_json(path):
    """Read the dict in a JSON file of finite numbers.

    Raises:
        ValueError: If the file does not hold such a dict.
    """
    path = pathlib.Path(path)
    text = read_text(path)
    try:
        content = json.loads(text, parse_constant=_refuse, parse_float=_finite)
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
    """Return a value as the text of a JSON file."""
    return json.dumps(content, indent=2, allow_nan=False) + "\n"


def _refuse(name):
    raise ValueError(f"{name} is not a finite number")


def _finite(digits):
    number = float(digits)
    return number if math.isfinite(number) else _refuse(digits)
