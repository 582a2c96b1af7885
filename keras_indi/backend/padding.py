"""Padding of images of static or dynamic size in a compiled function."""

from keras import ops

from keras_indi.annotations import Tensor


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Pad images at the bottom and right by reflection, as `restore` does.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`, static or dynamic.
        multiple: Int; height and width of the result are multiples of it.

    Returns:
        Tensor of the smallest such size that holds the images.
    """
    for axis in (1, 2):
        if images.shape[axis] is None or images.shape[axis] % multiple:
            length = ops.shape(images)[axis]
            # Positive integers only: ONNX rounds negative quotients towards zero.
            places = ops.arange((length + multiple - 1) // multiple * multiple)
            # Reflection, the border pixel not repeated: there and back takes a period.
            period = ops.maximum(2 * length - 2, 1)
            places = places % period
            places = ops.minimum(places, period - places)
            images = ops.take(images, ops.minimum(places, length - 1), axis=axis)
    return images
