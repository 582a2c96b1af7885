"""Halving and doubling the resolution, as each backend computes it fastest."""

import keras
from keras import ops


def halve(images):
    """The means of 2x2 blocks.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`, height and
            width even.

    Returns:
        Tensor of shape `(batch, height / 2, width / 2, channels)`.
    """
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        return tf.nn.avg_pool2d(images, 2, 2, "VALID")
    if backend == "torch":
        import torch

        return torch.nn.functional.avg_pool2d(images.permute(0, 3, 1, 2), 2).permute(
            0, 2, 3, 1
        )
    batch, height, width, channels = ops.shape(images)
    blocks = ops.reshape(images, (batch, height // 2, 2, width // 2, 2, channels))
    return ops.mean(blocks, axis=(2, 4))


def double(images):
    """Each pixel four times, as a 2x2 block.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, 2 height, 2 width, channels)`.
    """
    backend = keras.config.backend()
    if backend == "torch":
        import torch

        return torch.nn.functional.interpolate(
            images.permute(0, 3, 1, 2), scale_factor=2, mode="nearest"
        ).permute(0, 2, 3, 1)
    if backend == "tensorflow":
        # TensorFlow sums the gradient of a broadcast slowly, and under XLA has none of
        # its own nearest-neighbour resizing.
        return ops.custom_gradient(
            lambda images: (
                _broadcast_to_blocks(images),
                lambda upstream: 4 * halve(upstream),
            )
        )(images)
    return _broadcast_to_blocks(images)


def _broadcast_to_blocks(images):
    batch, height, width, channels = ops.shape(images)
    blocks = ops.reshape(images, (batch, height, 1, width, 1, channels))
    blocks = ops.broadcast_to(blocks, (batch, height, 2, width, 2, channels))
    return ops.reshape(blocks, (batch, 2 * height, 2 * width, channels))
