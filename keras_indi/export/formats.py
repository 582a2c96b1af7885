"""Export formats by name and by file extension."""

import pathlib
from typing import Any

from keras_indi.export.export_format import ExportFormat
from keras_indi.registry import Registry
from keras_indi.validation import checked_choice

# Each entry registers a format by name, and exports its class.
BUILTIN = Registry(
    "keras_indi.export",
    {
        "onnx": "onnx_format:ONNXFormat",
        "openvino": "openvino_format:OpenVINOFormat",
        "litert": "litert_format:LiteRTFormat",
        "saved_model": "saved_model_format:SavedModelFormat",
    },
)


def checked_format(name: str | None, path: pathlib.Path) -> str:
    """Return the name of the format, as given or from the path's extension.

    Args:
        name: String, or `None`.
        path: `pathlib.Path` of the output.

    Raises:
        ValueError: If there is no such format, or the extension is that of another.
    """
    formats: dict[str, Any] = dict(BUILTIN)
    endings = {found.ending: key for key, found in formats.items()}
    # In pathlib, a name such as ".onnx" has no suffix.
    own = endings.get(path.name.lower(), endings.get(path.suffix.lower()))
    if name is None and own is None:
        shown = ", ".join(
            f"{ending!r} ({key})" for ending, key in endings.items() if ending
        )
        raise ValueError(
            f"`path` must end in {shown}, or have no extension (saved_model, a folder; "
            "with an extension only by `format='saved_model'`). "
            f"Received: path={str(path)!r}"
        )
    name = checked_choice("format", name or own, BUILTIN)
    ending = formats[name].ending
    if ending and name != own:
        raise ValueError(
            f"A file of the format {name!r} must end in {ending!r}, by which its "
            f"runtime knows it. Received: path={str(path)!r}"
        )
    return name


def beside(path: pathlib.Path, name: str, ending: str) -> pathlib.Path:
    """Return the path of a file next to an export, such as its script.

    The script's name contains a dot, so that it cannot be imported: a script `jax.py`
    would hide JAX from all programs in its folder.

    Args:
        path: `pathlib.Path` of the export.
        name: String, its format.
        ending: String, `".py"` or `".json"`.

    Returns:
        `pathlib.Path`: `out.onnx.py`, or `out.saved_model.py` for a folder `out`.
    """
    shown = "" if get(name).ending else f".{name}"
    return path.with_name(f"{path.name}{shown}{ending}")


def get(name: str) -> ExportFormat:
    """Return the format of a name."""
    return BUILTIN[name]()
