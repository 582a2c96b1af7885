"""Fast convolution on each backend."""

import keras
from keras import ops

from keras_indi.annotations import Tensor


def convolve(images: Tensor, kernel: Tensor, bias: Tensor | None = None) -> Tensor:
    """Convolve with stride 1 and "same" padding, and add the bias.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        kernel: Tensor of shape `(size, size, channels, filters)`, of odd size.
        bias: Tensor of shape `(filters,)`, or `None`.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.
    """
    if keras.config.backend() == "torch":
        return _convolve_torch(images, kernel, bias)
    if tuple(kernel.shape[:2]) != (1, 1) or keras.config.backend() != "tensorflow":
        outputs = ops.conv(images, kernel, 1, "same", "channels_last")
    else:
        # As a matrix product, whose gradient is faster.
        channels, filters = kernel.shape[2:]
        outputs = ops.matmul(ops.reshape(images, (-1, channels)), kernel[0, 0])
        outputs = ops.reshape(outputs, (*ops.shape(images)[:3], filters))
    return outputs if bias is None else add_to_pixels(outputs, bias)


def _convolve_torch(images, kernel, bias):
    import torch

    size = kernel.shape[0]
    kernel = ops.convert_to_tensor(kernel).permute(3, 2, 0, 1)
    return torch.nn.functional.conv2d(
        ops.convert_to_tensor(images).permute(0, 3, 1, 2),
        kernel.contiguous(memory_format=torch.channels_last),
        None if bias is None else ops.convert_to_tensor(bias),
        padding=size // 2,
    ).permute(0, 2, 3, 1)


def add_to_pixels(images: Tensor, vectors: Tensor) -> Tensor:
    """Add a vector to every pixel, with an accurate gradient.

    TensorFlow and JAX sum the vector's gradient over the pixels in the compute dtype.
    On a CPU in bfloat16, such a sum stops growing after some hundred pixels. This
    function sums in float32, and is also faster than TensorFlow's own.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        vectors: Tensor of shape `(channels,)`, or `(batch, channels)` for one per
            image.

    Returns:
        Tensor of the images' shape and dtype.
    """
    backend = keras.config.backend()
    per_image = len(vectors.shape) == 2

    def aligned(vectors):
        return vectors[:, None, None, :] if per_image else vectors

    if backend == "torch":
        return images + aligned(vectors)

    @ops.custom_gradient
    def add(images, vectors):
        def gradient(*args, upstream=None):
            upstream = args[0] if upstream is None else upstream
            pixels = ops.cast(upstream, "float32")
            total = ops.sum(pixels, axis=(1, 2) if per_image else (0, 1, 2))
            return upstream, ops.cast(total, vectors.dtype)

        if backend == "tensorflow" and not per_image:
            import tensorflow as tf

            # The addition that TensorFlow fuses into the convolution.
            return tf.nn.bias_add(images, vectors), gradient
        return images + aligned(vectors), gradient

    # Custom gradients work on a variable's value, not on the variable.
    return add(images, ops.copy(vectors))
