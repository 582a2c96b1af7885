"""Fast halving and doubling of the resolution on each backend."""

import keras
from keras import ops

from keras_indi.annotations import Tensor


def halve(images: Tensor) -> Tensor:
    """Halve height and width by the means of 2x2 blocks.

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


def double(images: Tensor) -> Tensor:
    """Double height and width by repeating each pixel as a 2x2 block.

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
        # In TensorFlow the gradient of a broadcast is slow, and under XLA
        # nearest-neighbour resizing has none.
        return ops.custom_gradient(
            lambda images: (
                _broadcast_to_blocks(images),
                lambda upstream: 4 * halve(upstream),
            )
        )(images)
    return _broadcast_to_blocks(images)


def enlarge(images: Tensor, scale: int) -> Tensor:
    """Enlarge images bilinearly, with half-pixel centres and edge padding.

    Equals `keras_indi.data.resize`. Also supports tensors of dynamic size in a compiled
    step, unlike `keras.ops.image.resize`.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        scale: Int >= 1.

    Returns:
        Tensor of shape `(batch, scale * height, scale * width, channels)`.
    """
    for axis in (1, 2):
        images = ops.moveaxis(images, axis, 1)
        first, *shape = ops.shape(images)
        before = ops.concatenate([images[:, :1], images[:, :-1]], axis=1)
        after = ops.concatenate([images[:, 1:], images[:, -1:]], axis=1)
        phases = []
        for phase in range(scale):
            offset = (phase + 0.5) / scale - 0.5
            other = before if offset < 0 else after
            phases.append((1 - abs(offset)) * images + abs(offset) * other)
        images = ops.stack(phases, axis=2)
        images = ops.reshape(images, (first, scale * shape[0], *shape[1:]))
        images = ops.moveaxis(images, 1, axis)
    return images


def _broadcast_to_blocks(images):
    batch, height, width, channels = ops.shape(images)
    blocks = ops.reshape(images, (batch, height, 1, width, 1, channels))
    blocks = ops.broadcast_to(blocks, (batch, height, 2, width, 2, channels))
    return ops.reshape(blocks, (batch, 2 * height, 2 * width, channels))
