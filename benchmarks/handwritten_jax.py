"""The backbone of `keras_indi`, written by hand in plain JAX.

What a JAX user would write: pure functions of a dictionary of weights on NHWC
arrays, one jitted step with Adam in it. Weights are named as the Keras
variables. `network_speed.py` compares the two.
"""

import functools
import math

import jax
import jax.numpy as jnp
import numpy as np
from jax import lax


def convolution(weights, name, x):
    outputs = lax.conv_general_dilated(
        x,
        weights[f"{name}/kernel"],
        window_strides=(1, 1),
        padding="SAME",
        dimension_numbers=("NHWC", "HWIO", "NHWC"),
    )
    return outputs + weights[f"{name}/bias"]


def dense(weights, name, x):
    return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]


def time_embedding(weights, times):
    half = weights["time_embedding/hidden/kernel"].shape[0] // 2
    exponents = jnp.arange(half, dtype=jnp.float32) / (half - 1)
    frequencies = 1000.0 * jnp.exp(-math.log(10000.0) * exponents)
    angles = times[:, None] * frequencies
    x = jnp.concatenate([jnp.cos(angles), jnp.sin(angles)], axis=-1)
    x = x.astype(weights["time_embedding/hidden/kernel"].dtype)
    x = jax.nn.silu(dense(weights, "time_embedding/hidden", x))
    return jax.nn.silu(dense(weights, "time_embedding/outputs", x))


def residual_block(weights, name, x, embedding):
    hidden = convolution(weights, f"{name}/first", jax.nn.silu(x))
    hidden += dense(weights, f"{name}/embedding", embedding)[:, None, None, :]
    hidden = convolution(weights, f"{name}/second", jax.nn.silu(hidden))
    if f"{name}/shortcut/kernel" in weights:
        x = convolution(weights, f"{name}/shortcut", x)
    return x + hidden


def downsample(x):
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height // 2, 2, width // 2, 2, channels)
    return x.mean(axis=(2, 4))


def upsample(x):
    batch, height, width, channels = x.shape
    x = x.reshape(batch, height, 1, width, 1, channels)
    x = jnp.broadcast_to(x, (batch, height, 2, width, 2, channels))
    return x.reshape(batch, 2 * height, 2 * width, channels)


def unet(weights, images, times, levels, blocks):
    embedding = time_embedding(weights, times)
    x = convolution(weights, "stem", images)
    skips = []
    for level in range(levels):
        if level > 0:
            skips.append(x)
            name = f"downsampling_{level - 1}/convolution"
            x = convolution(weights, name, downsample(x))
        for block in range(blocks):
            x = residual_block(weights, f"down_{level}_block_{block}", x, embedding)
    for level in reversed(range(levels)):
        if level < levels - 1:
            name = f"upsampling_{level}/convolution"
            x = upsample(convolution(weights, name, x))
            x = jnp.concatenate([x, skips.pop()], axis=-1)
        for block in range(blocks):
            x = residual_block(weights, f"up_{level}_block_{block}", x, embedding)
    return images + convolution(weights, "residual", x)


def adam(weights, moments, gradients, rate=1e-4, b1=0.9, b2=0.999, epsilon=1e-7):
    step, first, second = moments
    step = step + 1
    rate = rate * jnp.sqrt(1 - b2**step) / (1 - b1**step)
    tree_map = jax.tree_util.tree_map
    first = tree_map(lambda m, g: b1 * m + (1 - b1) * g, first, gradients)
    second = tree_map(lambda v, g: b2 * v + (1 - b2) * g * g, second, gradients)
    weights = tree_map(
        lambda w, m, v: w - rate * m / (jnp.sqrt(v) + epsilon), weights, first, second
    )
    return weights, (step, first, second)


class Side:
    """The hand-written side of the benchmark."""

    def __init__(self, config, weights):
        self.weights = {path: jnp.asarray(value) for path, value in weights.items()}
        first, second = (
            jax.tree_util.tree_map(jnp.zeros_like, self.weights) for _ in range(2)
        )
        self.moments = (jnp.zeros(()), first, second)
        network = functools.partial(
            unet,
            levels=len(config["channel_multipliers"]),
            blocks=config["blocks_per_level"],
        )
        self._forward = jax.jit(network)

        @functools.partial(jax.jit, donate_argnums=(0, 1))
        def train(weights, moments, images, times, targets):
            def loss_of(weights):
                return jnp.mean(jnp.abs(network(weights, images, times) - targets))

            loss, gradients = jax.value_and_grad(loss_of)(weights)
            return loss, *adam(weights, moments, gradients)

        self._train = train

    def count(self):
        return sum(value.size for value in self.weights.values())

    def forward(self, images, times):
        return np.asarray(self._forward(self.weights, images, times))

    def train(self, images, times, targets):
        """One step. Returns what `finish` waits for."""
        loss, self.weights, self.moments = self._train(
            self.weights, self.moments, images, times, targets
        )
        return loss

    def finish(self, loss):
        return float(loss)
