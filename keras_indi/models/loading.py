"""Restorers from files, presets and hubs."""

import os
import pathlib
import zipfile

import keras

from keras_indi.backend.precision import fastest_dtype
from keras_indi.backend.runtimes import check_runtime
from keras_indi.models.indi import InDI
from keras_indi.models.restorer import Restorer
from keras_indi.presets import building, io
from keras_indi.validation import checked_choice

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def load_restorer(
    handle: str | os.PathLike, dtype: str = "auto", engine: str | None = None
) -> Restorer:
    """Load a restorer from a file, a preset name or a hub handle.

    Args:
        handle: Path of a `.keras` file; or a preset: a shipped preset's name, a
            preset's folder, or the handle of a hub, as for `InDI.from_preset`.
        dtype: `"float32"`; `"bfloat16"`, in which the network computes while its
            weights stay float32; or `"auto"`, bfloat16 where it is known to be
            faster (TensorFlow and PyTorch, on a CPU that has it). The layers of a
            network other than a `UNetBackbone` keep what they were saved with.
        engine: As `restore` will be called with, for `dtype="auto"`. Defaults to
            `None`, the backend.

    Returns:
        The `keras_indi.models.Restorer` that was saved: an `InDI`, a
        `ConditionalDDPM` or one of your own. A preset of a backbone alone becomes
        an `InDI`.

    Raises:
        ValueError: If there is no such file or preset, it holds no restorer, or its
            network cannot compute in `dtype`.
        ImportError: If the hub's client is not installed.
        OSError: If the hub cannot be reached.

    Example:

    ```python
    model = keras_indi.models.load_restorer("indi_small_jpeg")
    restored = model.restore(photograph)
    ```
    """
    checked_choice("dtype", dtype, ("auto", *POLICIES))
    if engine is not None:
        check_runtime(engine)
    policy = POLICIES[fastest_dtype(engine) if dtype == "auto" else dtype]
    if "://" not in str(handle) and pathlib.Path(handle).suffix == ".keras":
        model = _from_file(pathlib.Path(handle))
    else:
        found = io.read(handle)
        # What names no restorer is one of the paper's.
        cls = InDI if found.task is None else Restorer
        fixed = building.is_graph(found.config)
        model = building.load(cls, found, True, None if fixed else policy, {})
    return _in_dtype(model, policy, required=dtype != "auto")


def in_dtype(model: Restorer, dtype: str) -> Restorer:
    """A restorer that computes in another precision, or the same one.

    Args:
        model: A `Restorer`.
        dtype: `"float32"` or `"bfloat16"`.

    Raises:
        ValueError: If its network cannot compute in `dtype`.
    """
    return _in_dtype(model, POLICIES[dtype], required=True)


def _from_file(path: pathlib.Path) -> Restorer:
    if not path.is_file():
        raise ValueError(f"File not found. Received: {str(path)!r}")
    damaged = f"The file is no `.keras` file, or damaged. Received: {str(path)!r}"
    with open(path, "rb") as file:
        if not zipfile.is_zipfile(file):
            raise ValueError(damaged)
    try:
        model = keras.saving.load_model(path, compile=False)
    except (zipfile.BadZipFile, EOFError, KeyError) as error:
        raise ValueError(damaged) from error
    if not isinstance(model, Restorer):
        # The file of a backbone says neither its value range nor its noise.
        raise ValueError(
            "The file must hold a restorer, such as an InDI model. (Of a backbone, "
            "`InDI(keras.saving.load_model(path), value_range=...)` makes one.) "
            f"Received: {str(path)!r} with a {type(model).__name__}"
        )
    return model


def _in_dtype(model: Restorer, policy: str, required: bool) -> Restorer:
    """The restorer with a backbone that computes in another precision."""
    backbone = model.backbone
    if backbone.dtype_policy.name == policy and hasattr(backbone, "receptive_field"):
        return model
    config = model.get_config()
    inner = config["backbone"]["config"]
    if "dtype" in inner and hasattr(backbone, "receptive_field"):
        inner["dtype"] = policy
        changed = type(model).from_config(config)
        changed.backbone.set_weights(backbone.get_weights())
        return changed
    layers = getattr(backbone, "layers", [backbone])
    kept = {layer.dtype_policy.name for layer in layers if layer.weights}
    if required and kept - {policy}:
        raise ValueError(
            "`dtype` can be chosen for a `UNetBackbone`. Received: "
            f"dtype={policy!r} for a {type(backbone).__name__} of {sorted(kept)}"
        )
    return model
