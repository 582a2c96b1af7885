"""Atomic export of a restorer to a file of another runtime."""

import json
import os
import pathlib
from typing import Any

from keras_indi.annotations import FilePath
from keras_indi.backend import conversion
from keras_indi.backend.interrupts import deferred_interrupts
from keras_indi.export import formats, other_process, scripts
from keras_indi.export.description import describe
from keras_indi.export.settings import FORMS, Settings
from keras_indi.images.folder_lock import turn_in_folder
from keras_indi.images.image_files import listed
from keras_indi.images.output_paths import check_writable, is_too_long
from keras_indi.images.whole_writes import (
    NAMES,
    flush,
    flush_names,
    naming_full_disks,
    remove_left_overs,
    temporary_beside,
)
from keras_indi.inference.inputs import check_uint8
from keras_indi.models import checks
from keras_indi.models.loading import in_dtype, load_restorer
from keras_indi.models.restorer import Restorer
from keras_indi.presets import PRESETS_FOLDER, read_metadata
from keras_indi.presets.handles import locate
from keras_indi.validation import checked_choice

# Of an export, until it is done: the folders of what it has written and of what it
# replaces. The file `NAMES` has the names that it gives.
NEW, REPLACED = "new", "replaced"
# Files that only a SavedModel's folder holds.
SAVED_MODEL_FILES = {"saved_model.pb", "fingerprint.pb", "variables", "assets"}


def export_model(
    model: Restorer | FilePath,
    path: FilePath,
    *,
    format: str | None = None,
    form: str = "sampler",
    num_steps: int | None = None,
    sampler: Any = None,
    time_grid: Any = None,
    time_shift: float | None = None,
    scale: int | None = None,
    uint8: bool = False,
    precision: str = "float32",
    overwrite: bool = False,
) -> pathlib.Path:
    """Export a restorer to a file that a runtime runs without Keras.

    Also writes a script that restores an image with only that runtime
    (`restorer.onnx.py`; for a SavedModel `restorer.saved_model.py`), and a description
    (`restorer.onnx.json`). Batch, height and width are dynamic. The conversion requires
    TensorFlow; with another backend it runs in a separate process.

    Args:
        model: The restorer, or a handle for `load_restorer`: a preset's name, a folder
            or the path of a `.keras` file.
        path: Path of the output file, or of a SavedModel's folder.
        format: `"onnx"` (.onnx), `"openvino"` (.xml, with a .bin file next to it),
            `"litert"` (.tflite) or `"saved_model"` (a folder, without an extension).
            Defaults to the format of the path's extension.
        form: `"sampler"` exports all of `restore` as one graph. Its inputs are images
            and, if the noise schedule is not zero, the noise of `sampler_noise`; its
            output is restored images. `"denoiser"` exports only the network, F(x_t, t)
            or F(x_t, t, y), for images whose height and width are multiples of the
            model's `size_multiple`.
        num_steps: As for `restore`, for the form `"sampler"`; so are `sampler`,
            `time_grid`, `time_shift` and `scale`.
        sampler: As for `restore`.
        time_grid: As for `restore`.
        time_shift: As for `restore`.
        scale: As for `restore`.
        uint8: Bool, whether the images of a sampler are uint8. Defaults to `False`,
            float32 in the model's value range.
        precision: `"float32"`; `"bfloat16"` for the computation of the network
            (SavedModel, OpenVINO); or `"float16"` or `"int8"` for the stored weights
            (ONNX, OpenVINO, LiteRT).
        overwrite: Bool, whether to replace existing outputs. Defaults to `False`.

    Returns:
        `pathlib.Path` of what was written.

    Raises:
        ValueError: If an argument is not valid, or not supported by the model or
            format.
        FileExistsError: If an output already exists.
        ImportError: If TensorFlow, or a package for the format, is not installed.
        RuntimeError: If the conversion fails.
        OSError: If the files cannot be written.

    Example:

    ```python
    path = keras_indi.export.export_model("jpeg", "restorer.onnx", num_steps=4)
    session = onnxruntime.InferenceSession(path)
    (restored,) = session.run(None, {"images": photographs, "noise": noise})
    ```
    """
    path = pathlib.Path(path)
    name = formats.checked_format(format, path)
    checked_choice("form", form, FORMS)
    found = formats.get(name)
    case = f"for the format {name!r}"
    checked_choice("precision", precision, found.precisions, case)
    if not path.name or "\0" in str(path):
        raise ValueError(f"`path` must name a file. Received: path={str(path)!r}")
    description, script = (formats.beside(path, name, end) for end in (".json", ".py"))
    outputs = [path, description, script, *found.further(path)]
    if os.access(path.parent, os.R_OK | os.W_OK) and path.parent.is_dir():
        with turn_in_folder(path.parent):
            remove_left_overs(path.parent, alone=False, before=_put_back)
    _check_existing(outputs, found, overwrite)
    if form == "denoiser":
        _check_no_sampling(
            num_steps=num_steps,
            sampler=sampler,
            time_grid=time_grid,
            time_shift=time_shift,
            scale=scale,
            uint8=uint8 or None,
        )
    conversion.check_converter()
    found.check_packages()
    preset, known = None, {}
    if not isinstance(model, Restorer):
        preset, known = _known(os.fspath(model))
        model = load_restorer(model, "float32")
    checks.known_channels(model.backbone)
    arguments = (num_steps, sampler, time_grid, time_shift)
    if uint8:
        check_uint8(model.value_range)
    rule, times, time_shift = model.setting(*arguments)
    if form == "denoiser":
        _check_denoiser(model.trajectory(rule, times, time_shift))
    settings = Settings(
        form=form,
        format=name,
        precision=precision,
        sampler=rule,
        times=times.tolist(),
        time_shift=time_shift,
        scale=checks.checked_scale(scale, model.scale),
        uint8=bool(uint8),
    )
    model = in_dtype(model, settings.dtype)
    metadata = describe(model, settings, preset, known)
    with temporary_beside(path) as folder, naming_full_disks(path):
        new = folder / NEW
        new.mkdir(parents=True)
        file = new / path.name
        if conversion.converts_here():
            convert(model, settings, metadata, file)
        else:
            other_process.convert(model, settings, metadata, file)
        text = json.dumps(metadata, indent=2) + "\n"
        (new / description.name).write_text(text, encoding="utf-8")
        if scripts.has_script(metadata):
            text = scripts.script(script.name, path.name, found, metadata)
            (new / script.name).write_text(text, encoding="utf-8")
        with turn_in_folder(folder.parent):
            # Another export may have finished meanwhile.
            _check_existing(outputs, found, overwrite)
            with deferred_interrupts():
                _move(outputs, folder)
    return path


def convert(
    model: Restorer, settings: Settings, metadata: dict[str, Any], path: pathlib.Path
) -> None:
    """Write the exported file with TensorFlow.

    Args:
        model: The restorer, with compute dtype `settings.dtype`.
        settings: `Settings`.
        metadata: Dict, from `describe`.
        path: `pathlib.Path` that does not exist yet.
    """
    graph = settings.graph(model)
    formats.get(settings.format).write(graph, settings.precision, metadata, path)


def _move(outputs, folder):
    """Move the files in a folder to their final paths: all of them, or none.

    Existing files are moved away before the first new one appears, and the main file
    is moved last. So a killed process never leaves files of two exports side by side,
    and the next export puts the earlier files back.
    """
    replaced = folder / REPLACED
    new = [(folder / NEW / path.name, path) for path in reversed(outputs)]
    old = [(path, replaced / path.name) for path in outputs if os.path.lexists(path)]
    new = [(partial, path) for partial, path in new if partial.exists()]
    for partial, _ in new:
        flush(partial)
    names = [path.name for _, path in new]
    (folder / NAMES).write_text(json.dumps(names), encoding="utf-8")
    replaced.mkdir()
    done = []
    try:
        for source, target in old + new:
            os.rename(source, target)
            done.append((source, target))
    except BaseException:
        for source, target in reversed(done):
            os.rename(target, source)
        raise
    flush_names(folder.parent)


def _put_back(left):
    """Put back the files that a killed export has moved into its temporary folder."""
    new, replaced, folder = left / NEW, left / REPLACED, left.parent
    # Otherwise the export has moved none of its files yet, or all of them.
    if replaced.is_dir() and new.is_dir() and any(new.iterdir()):
        names = json.loads((left / NAMES).read_text(encoding="utf-8"))
        for name in names:
            if not os.path.lexists(new / name) and os.path.lexists(folder / name):
                os.rename(folder / name, new / name)
        for path in replaced.iterdir():
            os.rename(path, folder / path.name)


def _check_existing(outputs, format, overwrite):
    path = outputs[0]
    for output in outputs:
        if os.path.isdir(output) and (format.ending or output != path):
            raise FileExistsError(
                f"A folder is where a file is to be written. Received: {str(output)!r}"
            )
        if is_too_long(output):
            raise ValueError(
                f"The name is too long for the disk. Received: {output.name!r}"
            )
        check_writable(output)
    there = [output for output in outputs if os.path.lexists(output)]
    # The folder is replaced whole.
    others = {entry.name for entry in path.iterdir()} if path.is_dir() else set()
    others -= SAVED_MODEL_FILES
    if others:
        raise FileExistsError(
            "The folder holds other files than those of a SavedModel; choose another "
            f"path. Received: path={str(path)!r} with {listed(sorted(others), 3)}"
        )
    if there and not overwrite:
        raise FileExistsError(
            "Outputs already exist; `overwrite` (--overwrite) replaces them. Received: "
            f"path={str(path)!r} with {', '.join(output.name for output in there)}"
        )


def _check_no_sampling(**arguments):
    given = {key: value for key, value in arguments.items() if value is not None}
    if given:
        shown = ", ".join(f"{key}={value!r}" for key, value in given.items())
        raise ValueError(
            f"{', '.join(f'`{key}`' for key in arguments)} are of the sampler; the "
            f"denoiser has none. Received: form='denoiser', {shown}"
        )


def _check_denoiser(trajectory):
    if not trajectory.starts_at_degraded:
        raise ValueError(
            "A model that starts from noise alone is exported as form='sampler'. "
            "Received: form='denoiser'"
        )


def _known(handle):
    """Return the full name and the metadata of a preset; empty for a `.keras` file."""
    if handle.endswith(".keras"):
        return None, {}
    found = locate(handle)
    shipped = found.parent == PRESETS_FOLDER
    return found.name if shipped else handle, read_metadata(found)
