"""Restoration with a network that runs in another runtime than the backend."""

import functools
import hashlib
from typing import TYPE_CHECKING

import keras
from keras import ops

from keras_indi.backend import runtimes, several_devices
from keras_indi.inference.engine import Engine
from keras_indi.models.onnx_network import ONNXNetwork, as_array
from keras_indi.value_range import ValueRange

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer


class RuntimeEngine(Engine):
    """An `Engine` of a runtime, with the weights of the model at its creation.

    It compiles nothing: the update rules of samplers run eagerly, and call the network
    in between.

    Args:
        model: The built restorer.
        name: String, a name of `runtimes.RUNTIMES`.

    Raises:
        ValueError: If the runtime does not support the model or its dtype.
    """

    compiles = False

    def __init__(self, model: "Restorer", name: str) -> None:
        self._digest = _digest(model.backbone.variables)
        super().__init__(
            model.backbone,
            functools.partial(model.estimate, network=_network(model, name)),
            model.condition_on_degraded,
            ValueRange(model.value_range),
            model.size_multiple,
            model.receptive_field,
        )

    def is_of(self, variables: list[keras.Variable]) -> bool:
        """Return whether variables still have the values that the network has."""
        return self._digest == _digest(variables)


def _network(model, name):
    """Return the runtime's replacement for a model's backbone."""
    backbone = model.backbone
    dtype, dtypes = backbone.compute_dtype, runtimes.RUNTIMES[name]
    if dtype not in dtypes:
        raise ValueError(
            f"`engine={name!r}` computes in {' or '.join(dtypes)}: load the model with "
            f"that `dtype`. Received: a network that computes in {dtype}"
        )
    devices = several_devices.num_devices(backbone.variables)
    if devices > 1:
        raise ValueError(
            "`engine` supports the CPU only. Received: "
            f"engine={name!r} with a model on {devices} devices"
        )
    converted = ONNXNetwork(backbone)
    compute = runtimes.load_network(name, converted.serialized(), dtype)

    def network(inputs, training=False):
        inputs = dict(inputs)
        times = inputs.pop("times")
        if converted.embedding is not None:
            inputs["embedding"] = converted.embedding(times)
        arrays = {name: as_array(tensor) for name, tensor in inputs.items()}
        return ops.convert_to_tensor(compute(arrays))

    return network


def _digest(variables: list[keras.Variable]) -> bytes:
    digest = hashlib.blake2b()
    for variable in variables:
        digest.update(as_array(variable).data)
    return digest.digest()
