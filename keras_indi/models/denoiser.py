"""The network of a restorer as one function of tensors, for other runtimes."""

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras

from keras_indi.backend.conversion import InputSpec
from keras_indi.models.checks import known_channels

if TYPE_CHECKING:
    from keras_indi.models.restorer import Restorer


@dataclasses.dataclass(frozen=True)
class Graph:
    """A function of tensors with the names, shapes and dtypes of what it takes.

    Attributes:
        function: Pure function of tensors, in the order of `inputs`.
        inputs: Dict of names to pairs of a shape and a dtype.
        output: String, the name of what it returns.
        variables: List of the `keras.Variable` that it reads.
    """

    function: Callable[..., Any]
    inputs: dict[str, InputSpec]
    output: str
    variables: list[keras.Variable]


def denoiser(model: "Restorer") -> Graph:
    """F(x_t, t), or F(x_t, t, y) where the network is conditioned on y.

    Batch, height and width are free; height and width are multiples of the model's
    `size_multiple`. Images are float32 in its value range.

    Args:
        model: The restorer.
    """
    shape = (None, None, None, known_channels(model.backbone))
    inputs: dict[str, InputSpec] = {
        "images": (shape, "float32"),
        "times": ((None,), "float32"),
    }
    if model.condition_on_degraded:
        inputs["degraded"] = (shape, "float32")

    def estimate(images, times, degraded=None):
        return model.estimate(images, times, degraded)

    return Graph(estimate, inputs, "estimate", model.backbone.variables)
