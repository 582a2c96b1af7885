"""A restorer into a file of another runtime, whole or not at all."""

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
    flush,
    flush_names,
    left_overs_of_the_dead,
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
# replaces, and the file of the names that it gives.
NEW, REPLACED, NAMES = "new", "replaced", "names.json"
# What a SavedModel's folder holds, and no other.
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
    """Export a restorer to a program without Keras: a file that a runtime runs.

    Also writes a script that restores an image with only that runtime
    (`restorer.onnx.py`; of a SavedModel `restorer.saved_model.py`), and a description
    (`restorer.onnx.json`). Batch, height
    and width are free. The conversion runs on TensorFlow, with another backend in a
    process of its own.

    Args:
        model: The restorer, or what `load_restorer` takes: a preset's name, a folder
            or the path of a `.keras` file.
        path: Path of the file to write, or of a SavedModel's folder.
        format: `"onnx"` (.onnx), `"openvino"` (.xml, with a .bin file beside it),
            `"litert"` (.tflite) or `"saved_model"` (a folder, without an ending).
            Defaults to that of the path's ending.
        form: `"sampler"`, all that `restore` does as one graph: images, and the noise
            of `sampler_noise` where the noise schedule is not zero, to restored images.
            Or `"denoiser"`, only the network: F(x_t, t), or F(x_t, t, y), for images
            whose height and width are multiples of the model's `size_multiple`.
        num_steps: As for `restore`; so are the others. They are of the sampler.
        sampler: As for `restore`.
        time_grid: As for `restore`.
        time_shift: As for `restore`.
        scale: As for `restore`.
        uint8: Bool, whether a sampler takes and returns images of uint8. Defaults to
            `False`, float32 in the model's value range.
        precision: `"float32"`; `"bfloat16"`, in which the network computes
            (SavedModel, OpenVINO); or `"float16"` or `"int8"`, in which the weights are
            stored (ONNX, OpenVINO, LiteRT).
        overwrite: Bool, whether existing outputs are replaced. Defaults to `False`.

    Returns:
        `pathlib.Path` of what was written.

    Raises:
        ValueError: If an argument is not valid, or not for the model or format.
        FileExistsError: If an output already exists.
        ImportError: If TensorFlow, or what writes the format, is not installed.
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
            _undo_broken_off(path.parent)
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
            # Another export may have ended meanwhile.
            _check_existing(outputs, found, overwrite)
            with deferred_interrupts():
                _move(outputs, folder)
    return path


def convert(
    model: Restorer, settings: Settings, metadata: dict[str, Any], path: pathlib.Path
) -> None:
    """Write the file itself, on TensorFlow.

    Args:
        model: The restorer, which computes in `settings.dtype`.
        settings: `Settings`.
        metadata: Dict, of `describe`.
        path: `pathlib.Path` of nothing yet.
    """
    graph = settings.graph(model)
    formats.get(settings.format).write(graph, settings.precision, metadata, path)


def _move(outputs, folder):
    """Give the files in a folder their names: all, or none where one has no right to.

    What they replace is away before the first has its name, and the file itself is
    the last: of a process that is killed in between, none is beside another export's,
    and the next export puts back what was there.
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


def _undo_broken_off(folder):
    """Put back what killed exports have taken away, and remove what they have left."""
    for left in left_overs_of_the_dead(folder):
        new, replaced = left / NEW, left / REPLACED
        # Else it has not begun to give names, or given them all.
        if replaced.is_dir() and new.is_dir() and any(new.iterdir()):
            names = json.loads((left / NAMES).read_text(encoding="utf-8"))
            for name in names:
                if not os.path.lexists(new / name) and os.path.lexists(folder / name):
                    os.rename(folder / name, new / name)
            for path in replaced.iterdir():
                os.rename(path, folder / path.name)
    remove_left_overs(folder, alone=False)


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
    """The full name of a preset, and its metadata; a `.keras` file has none."""
    if handle.endswith(".keras"):
        return None, {}
    found = locate(handle)
    shipped = found.parent == PRESETS_FOLDER
    return found.name if shipped else handle, read_metadata(found)
