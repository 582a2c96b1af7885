"""The convolution and the resampling that are fast on every backend.

With `inference/compiled.py` the only place that looks at the backend.
"""

import keras
from keras import ops

from keras_indi.layers.canvas import zero_outside


@keras.saving.register_keras_serializable(package="keras_indi")
class Convolution2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, stride 1, "same" padding, fast on PyTorch too.

    Keras moves a channels-last image to channels-first memory and back around
    each PyTorch convolution. Here PyTorch is given the image in place, as a
    permuted view, with a kernel in its channels-last memory format: the same
    numbers in a fraction of the time. On TensorFlow a 1x1 kernel is a matrix
    product, and the bias has the gradient of `add_to_pixels`.

    Args:
        filters: Int, number of output channels.
        kernel_size: Int (or a pair of the same int), odd, so that the window is
            centred. Defaults to 3.
        **kwargs: `use_bias`, initializers and so on of `keras.layers.Conv2D`.

    Call arguments:
        inputs: Tensor of shape `(batch, height, width, channels)`.

    Returns:
        Tensor of shape `(batch, height, width, filters)`.

    Raises:
        ValueError: If `kernel_size` is even or not square.

    Example:

    >>> keras_indi.layers.Convolution2D(8)(np.zeros((1, 5, 7, 3))).shape
    (1, 5, 7, 8)
    """

    def __init__(self, filters, kernel_size=3, **kwargs):
        if not isinstance(kernel_size, int):  # from a saved config
            if len(kernel_size) != 2 or kernel_size[0] != kernel_size[1]:
                raise ValueError(
                    "`kernel_size` must be an int or square. Received: "
                    f"kernel_size={kernel_size}"
                )
            kernel_size = kernel_size[0]
        if kernel_size % 2 == 0:
            raise ValueError(
                f"`kernel_size` must be odd. Received: kernel_size={kernel_size}"
            )
        fixed = dict(
            strides=1,
            padding="same",
            data_format="channels_last",
            dilation_rate=1,
            groups=1,
        )
        super().__init__(filters, kernel_size, **{**kwargs, **fixed})

    def call(self, inputs):
        if self.kernel_size != (1, 1):
            inputs = zero_outside(inputs)
        if keras.config.backend() == "torch":
            outputs = self._convolve_torch(inputs)
        else:
            outputs = self._convolve(inputs)
            if self.use_bias:
                outputs = add_to_pixels(outputs, self.bias)
        return outputs if self.activation is None else self.activation(outputs)

    def _convolve(self, inputs):
        if self.kernel_size != (1, 1) or keras.config.backend() != "tensorflow":
            return ops.conv(inputs, self.kernel, 1, "same", "channels_last")
        # As a matrix product, whose gradient is faster.
        pixels = ops.reshape(inputs, (-1, self.kernel.shape[2]))
        outputs = ops.matmul(pixels, self.kernel[0, 0])
        return ops.reshape(outputs, (*ops.shape(inputs)[:3], self.filters))

    def _convolve_torch(self, inputs):
        import torch

        kernel = ops.convert_to_tensor(self.kernel).permute(3, 2, 0, 1)
        return torch.nn.functional.conv2d(
            ops.convert_to_tensor(inputs).permute(0, 3, 1, 2),
            kernel.contiguous(memory_format=torch.channels_last),
            ops.convert_to_tensor(self.bias) if self.use_bias else None,
            padding=self.kernel_size[0] // 2,
        ).permute(0, 2, 3, 1)


def add_to_pixels(images, vectors):
    """Adds a vector to every pixel, with a gradient that can be trusted.

    TensorFlow and JAX sum the vector's gradient over the pixels in the compute
    dtype. On a CPU in bfloat16 such a sum stops growing after some hundred pixels;
    here it is a float32 sum. It is also faster than TensorFlow's own.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`.
        vectors: Tensor of shape `(channels,)`, or `(batch, channels)` for one an
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

    # A variable's value, not the variable, has a gradient of one's own.
    return add(images, ops.copy(vectors))


def activate(activation, features):
    """An activation, `silu` at the speed that it has in float32.

    TensorFlow computes the sigmoid of bfloat16 one value at a time; here it is a
    float32 sigmoid, whose values the gradient uses again.

    Args:
        activation: Function of a tensor, of `keras.activations` or one's own.
        features: Tensor.

    Returns:
        Tensor of the same shape and dtype.
    """
    slow = keras.config.backend() == "tensorflow" and features.dtype == "bfloat16"
    if activation is not keras.activations.silu or not slow:
        return activation(features)

    @ops.custom_gradient
    def silu(features):
        sigmoid = ops.cast(ops.sigmoid(ops.cast(features, "float32")), features.dtype)

        def gradient(upstream):
            return upstream * (sigmoid * (1 + features * (1 - sigmoid)))

        return features * sigmoid, gradient

    return silu(features)


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
    batch, height, width, channels = ops.shape(images)
    if backend == "tensorflow":
        import tensorflow as tf

        # The gradient of a broadcast is a slow sum here.
        return tf.raw_ops.ResizeNearestNeighbor(
            images=images, size=(2 * height, 2 * width)
        )
    blocks = ops.reshape(images, (batch, height, 1, width, 1, channels))
    blocks = ops.broadcast_to(blocks, (batch, height, 2, width, 2, channels))
    return ops.reshape(blocks, (batch, 2 * height, 2 * width, channels))
