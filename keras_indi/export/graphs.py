"""Restorers and their networks as pure functions of tensors, for export."""

import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from keras_indi.backend.conversion import InputSpec
from keras_indi.backend.padding import pad_to_multiple
from keras_indi.backend.resampling import enlarge
from keras_indi.inference.engine import moves
from keras_indi.inference.trajectory import Trajectory, with_noise
from keras_indi.models.checks import check_output, known_channels
from keras_indi.models.restorer import Restorer


@dataclasses.dataclass(frozen=True)
class Graph:
    """A function of tensors with the names, shapes and dtypes of its inputs.

    Attributes:
        function: Pure function of tensors, in the order of `inputs`. With a `network`,
            it has a further argument `network`, a function that replaces the network.
        inputs: Dict from names to pairs of a shape and a dtype.
        output: String, the name of the output.
        variables: List of the `keras.Variable` that it reads.
        network: `Graph` of the network that it calls, or `None`.
    """

    function: Callable[..., Any]
    inputs: dict[str, InputSpec]
    output: str
    variables: list[keras.Variable]
    network: "Graph | None" = None


def denoiser(model: Restorer) -> Graph:
    """Return F(x_t, t), or F(x_t, t, y) if the network is conditioned on y.

    Batch, height and width are dynamic. Height and width must be multiples of the
    model's `size_multiple`. Images are float32 in the model's value range.

    Args:
        model: The restorer.
    """

    def estimate(images, times, degraded=None):
        return model.estimate(images, times, degraded)

    return _of_network(model, estimate)


def backbone(model: Restorer) -> Graph:
    """Return the network in its own unit, for the argument `network` of `estimate`.

    Args:
        model: The restorer.
    """

    def estimate(images, times, degraded=None):
        shown = {"images": images, "times": times}
        if degraded is not None:
            shown["degraded"] = degraded
        found = model.backbone(shown, training=False)
        check_output(found.shape, images.shape)
        return found

    return _of_network(model, estimate)


def _of_network(model, estimate):
    shape = (None, None, None, known_channels(model.backbone))
    inputs: dict[str, InputSpec] = {
        "images": (shape, "float32"),
        "times": ((None,), "float32"),
    }
    if model.condition_on_degraded:
        inputs["degraded"] = (shape, "float32")
    return Graph(estimate, inputs, "estimate", model.backbone.variables)


def sampler(model: Restorer, trajectory: Trajectory, scale: int, uint8: bool) -> Graph:
    """Return all of `restore`, with its noise as an input.

    Args:
        model: The restorer.
        trajectory: `Trajectory`.
        scale: Int, the factor by which height and width grow.
        uint8: Bool, whether images are uint8 instead of float32.
    """
    channels = known_channels(model.backbone)
    dtype = "uint8" if uint8 else "float32"
    inputs: dict[str, InputSpec] = {"images": ((None, None, None, channels), dtype)}
    if trajectory.num_draws:
        shape = (trajectory.num_draws, None, None, None, channels)
        inputs["noise"] = (shape, "float32")

    def restore(images, noise=None, network=None):
        estimate = functools.partial(model.estimate, network=network)
        steps = moves(trajectory.sampler, estimate)
        images = enlarge(ops.cast(images, "float32"), scale)
        height, width = ops.shape(images)[1:3]
        padded = pad_to_multiple(images, model.size_multiple)
        draws = (noise[draw] for draw in range(trajectory.num_draws))
        states, memory = trajectory.start(padded, draws)
        for move, scalars, noise_scale in trajectory.planned(steps):
            states, memory = move(states, *scalars, memory, padded)
            states = with_noise(states, noise_scale, draws)
        restored = trajectory.to_values(states[:, :height, :width])
        if model.value_range is not None:
            restored = ops.clip(restored, *model.value_range)
        if uint8:
            # Rounds halves to even, as NumPy does.
            restored = ops.round(ops.clip(restored, 0, 255))
        return ops.cast(restored, dtype)

    variables = model.backbone.variables
    return Graph(restore, inputs, "restored", variables, backbone(model))
