"""Restoration with a network that another runtime than the backend computes."""

import hashlib
import pathlib
import tempfile
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
from keras import ops

from keras_indi import process
from keras_indi.backend import conversion, several_devices
from keras_indi.backend.runtimes import BUILTIN
from keras_indi.inference.engine import Engine
from keras_indi.models import other_process
from keras_indi.models.denoiser import denoiser
from keras_indi.value_range import ValueRange

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer

# `export.settings.Settings` of the network alone.
DENOISER = {
    "form": "denoiser",
    "format": "onnx",
    "precision": "float32",
    "sampler": None,
    "times": [],
    "time_shift": 1.0,
    "scale": 1,
    "uint8": False,
}


class RuntimeEngine(Engine):
    """An `Engine` of a runtime, with the weights that the model has when it is made.

    It compiles nothing: the rules of samplers run operation by operation, and call the
    network in between.

    Args:
        model: The restorer, which is built.
        name: String, a name of `runtimes.BUILTIN`.
    """

    compiles = False

    def __init__(self, model: "Restorer", name: str) -> None:
        self._digest = _digest(model.backbone.variables)
        network = _network(model, name)
        conditioned = model.condition_on_degraded

        def estimate(images, times, degraded, time_shift=1.0):
            times = process.shift_times(times, time_shift)
            inputs = {
                "images": images,
                "times": ops.broadcast_to(times, images.shape[:1]),
            }
            if conditioned:
                inputs["degraded"] = degraded
            arrays = {name: _array(tensor) for name, tensor in inputs.items()}
            return ops.convert_to_tensor(network(arrays))

        super().__init__(
            model.backbone,
            estimate,
            conditioned,
            ValueRange(model.value_range),
            model.size_multiple,
            model.receptive_field,
        )

    def is_of(self, variables: list[keras.Variable]) -> bool:
        """Return whether variables still have the values that the network has."""
        return self._digest == _digest(variables)


def check_suits(model: "Restorer", name: str) -> None:
    """Raise a ValueError unless a runtime computes as a model does.

    Args:
        model: The restorer, which is built.
        name: String, a name of `runtimes.BUILTIN`.
    """
    dtype, dtypes = model.backbone.compute_dtype, BUILTIN[name].dtypes
    if dtype not in dtypes:
        raise ValueError(
            f"`engine={name!r}` computes in {' or '.join(dtypes)}: load the model with "
            f"that `dtype`. Received: a network that computes in {dtype}"
        )
    devices = several_devices.num_devices(model.backbone.variables)
    if devices > 1:
        raise ValueError(
            "An `engine` computes on the CPU alone. Received: "
            f"engine={name!r} with a model on {devices} devices"
        )


def _network(model, name):
    """The denoiser of a model, by a runtime."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder, "network.onnx")
        dtype = model.backbone.compute_dtype
        # The other process loads the model in float32.
        if conversion.converts_here() and dtype == "float32":
            graph = denoiser(model)
            traced = conversion.trace(graph.function, graph.inputs, graph.output)
            path.write_bytes(conversion.onnx_model(traced).SerializeToString())
        else:
            other_process.convert(model, DENOISER, {}, path)
        return BUILTIN[name](path, dtype)


def _digest(variables: list[keras.Variable]) -> bytes:
    digest = hashlib.blake2b()
    for variable in variables:
        digest.update(_array(variable.value))
    return digest.digest()


def _array(tensor: Any) -> np.ndarray:
    return np.ascontiguousarray(ops.convert_to_numpy(tensor))
