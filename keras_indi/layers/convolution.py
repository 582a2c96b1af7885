"""The convolution and the resampling that are fast on every backend.

With `inference/compiled.py` the only place that looks at the backend.
"""

import keras
from keras import ops


@keras.saving.register_keras_serializable(package="keras_indi")
class Convolution2D(keras.layers.Conv2D):
    """`keras.layers.Conv2D`, stride 1, "same" padding, fast on PyTorch too.

    Keras moves a channels-last image to channels-first memory and back around
    each PyTorch convolution. Here PyTorch is given the image in place, as a
    permuted view, with a kernel in its channels-last memory format: the same
    numbers in a fraction of the time. On TensorFlow the bias is added by
    TensorFlow's own operation; on JAX it is Keras's own layer.

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
        kwargs.setdefault("kernel_initializer", "he_normal")
        super().__init__(filters, kernel_size, **{**kwargs, **fixed})

    def call(self, inputs):
        backend = keras.config.backend()
        if backend == "torch":
            outputs = self._convolve_torch(inputs)
        elif backend == "tensorflow" and self.use_bias:
            outputs = self._convolve_tensorflow(inputs)
        else:
            return super().call(inputs)
        return outputs if self.activation is None else self.activation(outputs)

    def _convolve_tensorflow(self, inputs):
        import tensorflow as tf

        # Unlike Keras's reshape and add, TensorFlow fuses this into the convolution.
        return tf.nn.bias_add(
            ops.conv(inputs, self.kernel, 1, "same", "channels_last"),
            ops.convert_to_tensor(self.bias),
        )

    def _convolve_torch(self, inputs):
        import torch

        kernel = ops.convert_to_tensor(self.kernel).permute(3, 2, 0, 1)
        return torch.nn.functional.conv2d(
            ops.convert_to_tensor(inputs).permute(0, 3, 1, 2),
            kernel.contiguous(memory_format=torch.channels_last),
            ops.convert_to_tensor(self.bias) if self.use_bias else None,
            padding=self.kernel_size[0] // 2,
        ).permute(0, 2, 3, 1)


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
    batch, height, width, channels = ops.shape(images)
    backend = keras.config.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # The gradient of a broadcast is a slow sum here.
        return tf.raw_ops.ResizeNearestNeighbor(
            images=images, size=(2 * height, 2 * width)
        )
    if backend == "torch":
        import torch

        return torch.nn.functional.interpolate(
            images.permute(0, 3, 1, 2), scale_factor=2, mode="nearest"
        ).permute(0, 2, 3, 1)
    blocks = ops.reshape(images, (batch, height, 1, width, 1, channels))
    blocks = ops.broadcast_to(blocks, (batch, height, 2, width, 2, channels))
    return ops.reshape(blocks, (batch, 2 * height, 2 * width, channels))
