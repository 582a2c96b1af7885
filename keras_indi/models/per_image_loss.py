"""A loss that is one number per image."""

from collections.abc import Callable
from typing import Any, Self

import keras
from keras import ops

from keras_indi.annotations import Config, Tensor


@keras.saving.register_keras_serializable(package="keras_indi")
class PerImageLoss(keras.losses.Loss):
    """The mean of another loss over each image.

    Keras's pixel losses give one number per pixel, against which a sample
    weight per image does not broadcast. `InDI.compile` wraps the loss it is
    given in this one.

    Args:
        loss: A Keras loss, its name, or a function of `(y_true, y_pred)`.
        **kwargs: `name`, `reduction` and `dtype` of `keras.losses.Loss`.

    Call arguments:
        y_true: Tensor of shape `(batch, height, width, channels)`, clean.
        y_pred: Tensor of the same shape, the estimate.

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
        kwargs.setdefault("name", getattr(inner, "name", None) or inner.__name__)
        super().__init__(**kwargs)
        self.loss = inner

    def call(self, y_true: Tensor, y_pred: Tensor) -> Tensor:
        # A Loss object reduces when it is called; its `call` does not.
        values = getattr(self.loss, "call", self.loss)(y_true, y_pred)
        return ops.mean(values, axis=tuple(range(1, len(values.shape))))

    def get_config(self) -> Config:
        config = super().get_config()
        config.update(loss=keras.saving.serialize_keras_object(self.loss))
        return config

    @classmethod
    def from_config(cls, config: Config) -> Self:
        config = dict(config)
        config["loss"] = keras.saving.deserialize_keras_object(config["loss"])
        return cls(**config)
