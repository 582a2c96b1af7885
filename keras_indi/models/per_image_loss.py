"""Loss with one value per image."""

from collections.abc import Callable
from typing import Any, Self

import keras
from keras import ops

from keras_indi.annotations import Config, Tensor
from keras_indi.backend import keras_private

# The reductions by which Keras divides by the number of values that a mask leaves.
MEANS = ("mean", "sum_over_batch_size")


@keras.saving.register_keras_serializable(package="keras_indi")
class PerImageLoss(keras.losses.Loss):
    """The mean of another loss over each image.

    Keras's pixel losses return one value per pixel, which does not broadcast with one
    sample weight per image. `InDI.compile` wraps its loss in this class. Weights of
    pixels, and a mask of the estimate, work as in Keras.

    Args:
        loss: A Keras loss, its name, or a function of `(y_true, y_pred)`, which
            returns one value per pixel, image or batch.
        **kwargs: `name`, `reduction` and `dtype` of `keras.losses.Loss`.

    Call arguments:
        y_true: Tensor of shape `(batch, height, width, channels)`, clean.
        y_pred: Tensor of the same shape, the estimate.
        sample_weight: Tensor of shape `(batch,)`, weights of images, or `(batch,
            height, width)` or `(batch, height, width, 1)`, weights of pixels.

    Returns:
        Scalar, the mean over the batch.

    Example:

    >>> loss = keras_indi.models.PerImageLoss("mean_absolute_error")
    >>> x = np.ones((2, 4, 4, 3))
    >>> float(loss(x, 0 * x, sample_weight=np.array([1.0, 0.0])))
    0.5
    """

    def __init__(
        self,
        loss: str | Config | Callable[[Tensor, Tensor], Tensor] = "mean_absolute_error",
        **kwargs: Any,
    ) -> None:
        inner = keras.losses.get(loss)
        if isinstance(inner, keras.losses.Loss):
            kwargs.setdefault("reduction", inner.reduction)
        name = str(getattr(inner, "name", None) or getattr(inner, "__name__", ""))
        # Neither "<lambda>" nor nothing is a name.
        kwargs.setdefault("name", name if name.isidentifier() else None)
        super().__init__(**kwargs)
        self.loss = inner

    def __call__(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Any = None
    ) -> Tensor:
        mask = keras_private.mask_of(y_pred)
        rank = 0 if sample_weight is None else len(sample_weight.shape)
        of_images = rank <= 1 or (rank == 2 and sample_weight.shape[1] == 1)
        if of_images and mask is None:
            return super().__call__(y_true, y_pred, sample_weight)
        pixels = self._of_pixels(mask, self.reduction in MEANS)
        if sample_weight is not None:
            pixels = pixels * self._of_pixels(sample_weight, False)
        # The mean of weighted pixels is that of an image with its pixels' mean weight.
        images = ops.mean(pixels, axis=(1, 2, 3))
        shares = ops.divide_no_nan(pixels, ops.reshape(images, (-1, 1, 1, 1)))
        # In tuples, as Keras would take a mask of the estimate for one of images.
        return super().__call__((y_true, shares), (y_pred,), images)

    def _of_pixels(self, weights, normalize):
        """Return weights as `(batch, height, width, 1)`, with mean 1 if normalized."""
        if weights is None:
            return 1.0
        weights = ops.cast(weights, self.dtype)
        if len(weights.shape) == 2 and weights.shape[1] != 1 or len(weights.shape) > 4:
            raise ValueError(
                "`sample_weight` must have shape (batch,), (batch, height, width) or "
                "(batch, height, width, 1). Received: sample_weight of shape "
                f"{tuple(weights.shape)}"
            )
        while len(weights.shape) < 4:
            weights = weights[..., None]
        if normalize:
            weights = ops.divide_no_nan(weights, ops.mean(weights))
        return weights

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        shares = None
        if isinstance(y_true, tuple):
            (y_true, shares), (y_pred,) = y_true, y_pred
        # A Loss object reduces when it is called; its `call` does not.
        values = getattr(self.loss, "call", self.loss)(y_true, y_pred)
        rank = len(values.shape)
        if shares is not None and rank > 2:
            values = values * (shares if rank == 4 else shares[..., 0])
        return ops.mean(values, axis=tuple(range(1, rank)))

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(loss=keras.saving.serialize_keras_object(self.loss))
        return config

    @classmethod
    def from_config(cls, config: Config) -> Self:
        config = dict(config)
        config["loss"] = keras.saving.deserialize_keras_object(config["loss"])
        return cls(**config)
