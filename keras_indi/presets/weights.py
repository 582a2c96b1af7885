"""Weights file of a preset: float16 or float32 HDF5 in Keras's layout."""

import collections
import hashlib

import numpy as np

from keras_indi.backend.keras_private import at_new_path, weights_in_memory
from keras_indi.images.whole_writes import check_room
from keras_indi.layers.old_names import RENAMED
from keras_indi.presets.files import METADATA_FILE, WEIGHTS_FILE

DTYPES = ("float32", "float16")
BYTES_PER_ENTRY = 4096  # at most, of HDF5's own, for an array and its groups


def write_weights(model, path, dtype):
    """Write a model's weights, in the layout of `model.save_weights`.

    Args:
        model: A built Keras model.
        path: Path of the file to write.
        dtype: `"float32"` or `"float16"`, of what floats are stored as.

    Raises:
        ValueError: If a weight is not finite, in that dtype.
    """
    import h5py  # of Keras itself

    whole = weights_in_memory(model)
    check_room(path, whole.getbuffer().nbytes)
    with h5py.File(whole) as source, h5py.File(path, "w") as target:

        def copy(name, entry):
            if isinstance(entry, h5py.Dataset):
                target[name] = _stored(entry, dtype)
            else:
                target.require_group(name).attrs.update(entry.attrs)

        source.visititems(copy)


def stored_layout(path, preset):
    """Return the names and shapes of the arrays in a weights file.

    Args:
        path: Path of a weights file.
        preset: The user's handle, for the error.

    Returns:
        Dict from the current names of the arrays to their shapes.

    Raises:
        ValueError: If it is not a weights file, arrays are stored outside it, or a
            value is not finite.
    """
    try:
        found = _layout(path)
    except (OSError, RuntimeError, KeyError, ValueError) as error:
        raise ValueError(
            f"{path.name} is not a readable HDF5 file: {error}. Received: "
            f"preset={str(preset)!r}"
        ) from error
    return {at_new_path(name, RENAMED): shape for name, shape in found.items()}


def check_shapes(found, wanted, preset):
    """Raise a ValueError unless arrays have the shapes of a network's weights.

    Args:
        found: Dict of the stored arrays' names to their shapes.
        wanted: List of pairs of a weight's name and its shape.
        preset: What the user named, for the error.
    """
    missing = collections.defaultdict(list)
    for name, shape in wanted:
        missing[shape].append(name)
    more = []
    for name, shape in found.items():
        if missing[shape]:
            missing[shape].pop(0)
        else:
            more.append(f"has {name} of shape {shape} beside")
    lacks = [
        f"lacks {name} of shape {shape}"
        for shape, names in missing.items()
        for name in names
    ]
    _check_none([*lacks[:1], *more[:1], *lacks[1:], *more[1:]], preset)


def check_layout(found, model, preset):
    """Raise a ValueError unless a file holds exactly the weights of a model.

    Args:
        found: Dict of the stored arrays' names to their shapes.
        model: The built model that it is for, which is not changed.
        preset: What the user named, for the error.
    """
    wanted = _layout(weights_in_memory(model))
    problems = [f"lacks {name}" for name in sorted(wanted.keys() - found.keys())]
    problems += [f"has {name} beside" for name in sorted(found.keys() - wanted.keys())]
    problems += [
        f"has {name} of shape {found[name]} instead of {wanted[name]}"
        for name in sorted(wanted.keys() & found.keys())
        if found[name] != wanted[name]
    ]
    _check_none(problems, preset)


def save_weights(model, path):
    """Call `model.save_weights` if the disk has enough space.

    Raises:
        OSError: If it does not, before anything is written.
    """
    variables = [
        *model.weights,
        *getattr(getattr(model, "optimizer", None), "variables", ()),
    ]
    values = sum(int(np.prod(v.shape, dtype="int64")) * 4 for v in variables)
    check_room(path, values + BYTES_PER_ENTRY * (8 + len(variables)))
    model.save_weights(path, overwrite=True)


def checksum(path):
    """Return the SHA-256 of a file, as a string of hexadecimal digits."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def check_checksum(folder, metadata, received):
    """Raise a ValueError unless the weights match the metadata, or both have none.

    Args:
        folder: `pathlib.Path` of a preset.
        metadata: Dict, the content of its `metadata.json`.
        received: The user's handle, for the error.
    """
    path, wanted = folder / WEIGHTS_FILE, metadata.get("weights_sha256")
    found = checksum(path) if path.is_file() else None
    if found != wanted:
        raise ValueError(
            f"{WEIGHTS_FILE} is missing, damaged, or of another preset: its SHA-256 "
            f"must be {wanted}, as {METADATA_FILE} says, and is {found}. Download or "
            f"save the preset again. Received: {received}"
        )


def _stored(entry, dtype):
    """Return a dataset's values as stored, with floats in `dtype`."""
    values = entry[...]
    if entry.attrs.get("dtype") == "bfloat16":
        # Keras stores its bits: the upper half of a float32's.
        values = (values.view("uint16").astype("uint32") << 16).view("float32")
    if not np.issubdtype(values.dtype, np.floating):
        return values
    with np.errstate(over="ignore"):
        stored = values.astype(dtype)
    if not np.isfinite(stored).all():
        raise ValueError(
            f"Weights must be finite as {dtype}. Received: {entry.name} with "
            f"values up to {np.abs(values).max()}, weights_dtype={dtype!r}"
        )
    return stored


def _check_none(problems, preset):
    if problems:
        more = f" and {len(problems) - 3} more" if len(problems) > 3 else ""
        raise ValueError(
            f"{WEIGHTS_FILE} must hold the weights of the network that config.json "
            f"describes, but {'; '.join(problems[:3])}{more}. Arguments of the "
            "network can be changed with `load_weights=False`. Received: "
            f"preset={str(preset)!r}"
        )


def _is_finite(entry):
    # Of bfloat16 Keras stores the bits, of which none is a float to NumPy.
    return entry.dtype.kind != "f" or bool(np.isfinite(entry[...]).all())


def _layout(path):
    """Return a file's dataset shapes by name; external datasets are an error."""
    import h5py

    shapes, seen = {}, set()

    def visit(group):
        address = h5py.h5o.get_info(group.id).addr
        if address in seen:
            raise OSError(f"`{group.name}` is in it more than once")
        seen.add(address)
        for name in group:
            link, place = group.get(name, getlink=True), f"{group.name}/{name}"
            if not isinstance(link, h5py.HardLink):
                raise OSError(f"`{place}` is a link")
            entry = group[name]
            if isinstance(entry, h5py.Group):
                visit(entry)
            elif not isinstance(entry, h5py.Dataset) or entry.dtype.kind not in "fiubV":
                raise OSError(f"`{place}` holds no numbers")
            elif entry.external or entry.is_virtual:
                raise OSError(f"`{place}` lies in another file")
            elif entry.id.get_storage_size() < entry.nbytes:
                # A file of kilobytes would otherwise fill the memory.
                raise OSError(f"`{place}` is compressed or incomplete")
            elif not _is_finite(entry):
                raise OSError(f"`{place}` has values that are not finite")
            else:
                shapes[place.strip("/").replace("//", "/")] = entry.shape

    with h5py.File(path) as file:
        visit(file)
    return shapes
