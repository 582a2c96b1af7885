"""Images padded within a compiled function, whatever is known of their size."""

from keras import ops

from keras_indi.annotations import Tensor


def pad_to_multiple(images: Tensor, multiple: int) -> Tensor:
    """Images padded below and to the right by reflection, as `restore` pads them.

    Args:
        images: Tensor of shape `(batch, height, width, channels)`, sizes known or not.
        multiple: Int; height and width of the result are multiples of it.

    Returns:
        Tensor of the smallest such size that holds the images.
    """
    for axis in (1, 2):
        if images.shape[axis] is None or images.shape[axis] % multiple:
            length = ops.shape(images)[axis]
            # Of positive integers alone: ONNX rounds the others' quotients to zero.
            places = ops.arange((length + multiple - 1) // multiple * multiple)
            # Reflection, the border pixel not repeated: there and back takes a period.
            period = ops.maximum(2 * length - 2, 1)
            places = places % period
            places = ops.minimum(places, period - places)
            images = ops.take(images, ops.minimum(places, length - 1), axis=axis)
    return images
