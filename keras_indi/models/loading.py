"""A restorer from whatever names one."""

import pathlib

import keras

from keras_indi.backend.precision import fastest_dtype
from keras_indi.models.indi import InDI
from keras_indi.validation import checked_choice

POLICIES = {"float32": "float32", "bfloat16": "mixed_bfloat16"}


def load_model(handle, dtype="auto"):
    """Loads a restorer.

    Args:
        handle: Path of a `.keras` file; or what `InDI.from_preset` takes: a
            shipped preset's name, a preset's folder, or the handle of a hub.
        dtype: `"float32"`; `"bfloat16"`, in which the network computes while its
            weights stay float32; or `"auto"`, bfloat16 where it is known to be
            faster (TensorFlow, on a CPU that has it).

    Returns:
        A `keras_indi.models.InDI`.

    Raises:
        ValueError: If it is neither, or an argument is not valid.
    """
    checked_choice("dtype", dtype, ("auto", *POLICIES))
    policy = POLICIES[fastest_dtype() if dtype == "auto" else dtype]

    if pathlib.Path(handle).suffix != ".keras":
        return InDI.from_preset(str(handle), dtype=policy)
    path = pathlib.Path(handle)
    if not path.is_file():
        raise ValueError(f"There is no such file. Received: {str(handle)!r}")
    model = keras.saving.load_model(path, compile=False)
    if not isinstance(model, InDI):
        raise ValueError(
            "The file must hold an InDI model. Received: "
            f"{str(handle)!r} with a {type(model).__name__}"
        )
    return _in_dtype(model, policy, required=dtype != "auto")


def _in_dtype(model, policy, required):
    """The model with a backbone that computes in another precision."""
    backbone = model.backbone
    if backbone.dtype_policy.name == policy:
        return model
    config = model.get_config()
    inner = config["backbone"]["config"]
    if "dtype" not in inner or not hasattr(backbone, "receptive_field"):
        if required:
            raise ValueError(
                "`dtype` can be chosen for a `UNetBackbone`. Received: "
                f"dtype={policy!r} for a {type(backbone).__name__}"
            )
        return model
    inner["dtype"] = policy
    changed = type(model).from_config(config)
    changed.backbone.set_weights(backbone.get_weights())
    return changed
