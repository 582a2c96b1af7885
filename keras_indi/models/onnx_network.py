"""Layer-by-layer conversion of a network to ONNX, without another backend.

Inside, images are channels-first, as usual in ONNX. The embedding of t is an input,
computed by its own layer: its angles require float32, which a runtime may not use.
"""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi import layers
from keras_indi.optional_packages import optional_import

OPERATORS = 18  # the version of ONNX's operators
TO_CHANNELS_FIRST, TO_CHANNELS_LAST = (0, 3, 1, 2), (0, 2, 3, 1)


class ONNXNetwork:
    """Convert a functional network of this package's layers to ONNX.

    Args:
        network: Functional `keras.Model` with the inputs of a backbone.

    Attributes:
        embedding: The `TimeEmbedding` whose output is the input `"embedding"`.

    Raises:
        ValueError: If the network is not functional, or has other layers.
    """

    def __init__(self, network: keras.layers.Layer) -> None:
        self._onnx = optional_import("onnx", "onnx", "An `engine`")
        self._nodes: list[Any] = []
        self._constants: list[Any] = []
        self._inputs: list[Any] = []
        self.embedding: Any = None
        names: dict[int, Any] = {}  # from symbolic tensors of Keras to names of values
        for operation in getattr(network, "operations", [network]):
            write = WRITERS.get(type(operation))
            given = [] if write is None else keras.tree.flatten(operation.input)
            # A layer that is called twice has only its first call's input and output.
            if write is None or any(id(tensor) not in names for tensor in given):
                raise _refusal(operation, network)
            values = [names[id(tensor)] for tensor in given]
            names[id(operation.output)] = write(self, operation, *values)
        (output,) = keras.tree.flatten(network.output)
        if id(output) not in names:
            raise _refusal(network, network)
        self._output = names[id(output)]

    def serialized(self) -> bytes:
        """Return the bytes of an ONNX file with dynamic batch, height and width."""
        helper = self._onnx.helper
        self.add("Transpose", self._output, perm=TO_CHANNELS_LAST, output="estimate")
        output = helper.make_tensor_value_info("estimate", 1, [None] * 4)
        graph = helper.make_graph(
            self._nodes, "network", self._inputs, [output], self._constants
        )
        versions = [helper.make_opsetid("", OPERATORS)]
        return helper.make_model(
            graph, opset_imports=versions, ir_version=10
        ).SerializeToString()

    def input(self, name: str, *shape: int | None) -> str:
        """Add a float32 input; return its name."""
        make = self._onnx.helper.make_tensor_value_info
        self._inputs.append(make(name, 1, shape))
        return name

    def constant(self, array: np.ndarray) -> str:
        """Add an array; return its name."""
        name = f"constant_{len(self._constants)}"
        self._constants.append(self._onnx.numpy_helper.from_array(array, name))
        return name

    def add(self, operator: str, *inputs: str, output: str = "", **attributes) -> str:
        """Add a node; return the name of its output."""
        output = output or f"value_{len(self._nodes)}"
        make = self._onnx.helper.make_node
        self._nodes.append(make(operator, inputs, [output], **attributes))
        return output


def _refusal(layer, network):
    return ValueError(
        "`engine` supports only networks of the layers of a `UNetBackbone`, each "
        "called once. Export others with `keras_indi.export`. Received: "
        f"a {type(layer).__name__} in {network!r}"
    )


def as_array(tensor: Any) -> np.ndarray:
    """Return a tensor or a variable as a float32 array."""
    array = ops.convert_to_numpy(ops.cast(tensor, "float32"))
    return np.ascontiguousarray(array)


def _input(network, layer):
    if layer.output.ndim < 4:  # t, which its embedding takes
        return None
    channels = layer.output.shape[-1]
    images = network.input(layer.name, None, None, None, channels)
    return network.add("Transpose", images, perm=TO_CHANNELS_FIRST)


def _embedding(network, layer, _):
    if network.embedding is not None:
        raise _refusal(layer, "a network with another one")
    network.embedding = layer
    return network.input("embedding", None, layer.units)


def _convolution(network, layer, images):
    kernel = np.transpose(as_array(layer.kernel), (3, 2, 0, 1))
    constants = [network.constant(kernel)]
    if layer.use_bias:
        constants.append(network.constant(as_array(layer.bias)))
    pads = [size // 2 for size in layer.kernel_size] * 2
    images = network.add("Conv", images, *constants, pads=pads)
    return _activation(network, layer.activation, images)


def _activation(network, activation, images):
    if activation is keras.activations.silu:
        return network.add("Mul", images, network.add("Sigmoid", images))
    if activation is keras.activations.linear:
        return images
    if activation not in ACTIVATIONS:
        names = ", ".join(found.__name__ for found in ACTIVATIONS)
        raise ValueError(
            f"`engine` supports the activations silu, {names}. "
            f"Received: activation={activation!r}"
        )
    return network.add(ACTIVATIONS[activation], images)


def _residual_block(network, layer, images, embedding):
    dense = layer.embedding
    constants = [network.constant(as_array(w)) for w in (dense.kernel, dense.bias)]
    vectors = network.add("Gemm", embedding, *constants)
    axes = network.constant(np.array([2, 3]))
    vectors = network.add("Unsqueeze", vectors, axes)
    outputs = _activation(network, layer.activation, images)
    outputs = network.add("Add", _convolution(network, layer.first, outputs), vectors)
    outputs = _activation(network, layer.activation, outputs)
    outputs = _convolution(network, layer.second, outputs)
    if layer.shortcut is not None:
        images = _convolution(network, layer.shortcut, images)
    return network.add("Add", images, outputs)


def _downsample(network, layer, images):
    sizes = {"kernel_shape": [2, 2], "strides": [2, 2]}
    images = network.add("AveragePool", images, **sizes)
    return _convolution(network, layer.convolution, images)


def _upsample(network, layer, images):
    images = _convolution(network, layer.convolution, images)
    scales = network.constant(np.array([1, 1, 2, 2], "float32"))
    mode = {"mode": "nearest", "coordinate_transformation_mode": "asymmetric"}
    return network.add("Resize", images, "", scales, **mode, nearest_mode="floor")


def _concatenate(network, layer, *images):
    if layer.axis not in (-1, 3):
        raise ValueError(
            f"`engine` supports concatenation of channels only. Received: "
            f"axis={layer.axis}"
        )
    return network.add("Concat", *images, axis=1)


def _patches(operator):
    def write(network, layer, images):
        return network.add(operator, images, blocksize=layer.patch_size)

    return write


ACTIVATIONS = {
    keras.activations.relu: "Relu",
    keras.activations.sigmoid: "Sigmoid",
    keras.activations.tanh: "Tanh",
}
WRITERS: dict[type, Callable[..., Any]] = {
    keras.layers.InputLayer: _input,
    keras.layers.Add: lambda network, layer, *images: network.add("Add", *images),
    keras.layers.Concatenate: _concatenate,
    layers.TimeEmbedding: _embedding,
    layers.FastConv2D: _convolution,
    layers.ResidualBlock: _residual_block,
    layers.DownsampleBlock: _downsample,
    layers.UpsampleBlock: _upsample,
    layers.SpaceToDepth2D: _patches("SpaceToDepth"),
    layers.DepthToSpace2D: _patches("DepthToSpace"),
}
