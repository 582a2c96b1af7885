"""Loading of restorers from files, presets and hubs."""

import contextlib
import json
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
        dtype: `"float32"`; `"bfloat16"`, the compute dtype of the network (its weights
            stay float32); or `"auto"`, bfloat16 where it is known to be faster
            (TensorFlow and PyTorch, on a CPU that supports it). The layers of a network
            other than a `UNetBackbone` keep their saved dtype.
        engine: The `engine` that will be passed to `restore`, for `dtype="auto"`.
            Defaults to `None`, the backend.

    Returns:
        The saved `keras_indi.models.Restorer`: an `InDI`, a `ConditionalDDPM` or your
        own class. A preset of a backbone is loaded as an `InDI`.

    Raises:
        ValueError: If the file or preset does not exist, holds no restorer or names a
            class that is not imported, or its network does not support `dtype`.
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
        # Without a restorer in the config, it is an InDI.
        cls = InDI if found.task is None else Restorer
        fixed = building.is_graph(found.config)
        model = building.load(cls, found, True, None if fixed else policy, {})
    return _in_dtype(model, policy, required=dtype != "auto")


def in_dtype(model: Restorer, dtype: str) -> Restorer:
    """Return a restorer with the given compute dtype, or the same restorer.

    Args:
        model: A `Restorer`.
        dtype: `"float32"` or `"bfloat16"`.

    Raises:
        ValueError: If its network does not support `dtype`.
    """
    return _in_dtype(model, POLICIES[dtype], required=True)


def _from_file(path: pathlib.Path) -> Restorer:
    if not path.is_file():
        raise ValueError(f"File not found. Received: {str(path)!r}")
    try:
        model = keras.saving.load_model(path, compile=False)
    except ImportError:
        raise
    except Exception as error:  # Keras and h5py raise of all kinds
        raise ValueError(
            f"The file cannot be loaded: {_reason(path, error)}. Received: "
            f"{str(path)!r}"
        ) from error
    if not isinstance(model, Restorer):
        # The file of a backbone contains neither a value range nor a noise schedule.
        raise ValueError(
            "The file must hold a restorer, such as an InDI model. (Of a backbone, "
            "`InDI(keras.saving.load_model(path), value_range=...)` makes one.) "
            f"Received: {str(path)!r} with a {type(model).__name__}"
        )
    return model


def _reason(path: pathlib.Path, error: Exception) -> str:
    """Return the reason why Keras cannot load a file, in one line."""
    if not zipfile.is_zipfile(path):
        return "it is no whole `.keras` file, a zip archive"
    with contextlib.suppress(Exception):  # of a damaged archive
        with zipfile.ZipFile(path) as archive:
            config = json.loads(archive.read("config.json"))
        config.pop("compile_config", None)  # which is not loaded
        unknown = building.unregistered_names(config)
        if unknown:
            return (
                f"it names {', '.join(unknown)}, which no class is registered by. "
                "Import the module that registers it first (on the command line by "
                "`--import MODULE`)"
            )
    first = str(error).strip().partition("\n")[0].rstrip(".")
    return f"{type(error).__name__}: {first}"


def _in_dtype(model: Restorer, policy: str, required: bool) -> Restorer:
    """Return the restorer with a backbone of another compute dtype."""
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
