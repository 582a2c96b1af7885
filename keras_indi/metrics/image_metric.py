"""Base class of metrics with a score per image pair."""

from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Config, Tensor, ValueLimits
from keras_indi.backend.compiled import compile_function
from keras_indi.metrics import image_checks
from keras_indi.validation import checked_value_range


class ImageMetric(keras.metrics.Metric):
    """Base class of metrics that average a score over images.

    A subclass implements `compute`. The mean is accumulated in pairs of float32 numbers
    with 48 bits together, because JAX disables float64. It is accurate to float32
    precision for any number of images. Without images it is NaN.

    Shapes are always checked. Values are checked only for NumPy arrays, as in an
    evaluation. Values of tensors, as in `fit`, are not checked: NaN gives NaN, and
    values outside the range are not clipped.

    Args:
        value_range: Pair of numbers, the values of black and white.
        channels: Int, required number of channels, or `None` for any.
        smallest: Int, minimum height and width.
        name: String, name of the metric in logs.
        dtype: As for `keras.metrics.Metric`. Computation is always in float32.

    Attributes:
        higher_is_better: Bool, class attribute, whether higher scores are better, as
            for PSNR. Defaults to `False`.

    Example:

    >>> metric = keras_indi.metrics.PSNR(value_range=(0, 255))
    >>> isinstance(metric, keras_indi.metrics.ImageMetric)
    True
    """

    higher_is_better = False

    def __init__(
        self,
        value_range: ValueLimits = (0, 255),
        channels: int | None = None,
        smallest: int = 1,
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        super().__init__(name=name, dtype=dtype)
        # Attribute that Keras callbacks read.
        self._direction = "up" if self.higher_is_better else "down"
        self.value_range = checked_value_range(value_range)
        self.channels = channels
        self.smallest = smallest
        # Each is a sum and its rounding error.
        self._total = self._add_sum("total")
        self._weight = self._add_sum("weight")
        self._compiled = None

    def compute(self, clean: Tensor, restored: Tensor) -> Tensor:
        """Compute the score of each image.

        Args:
            clean: Tensor of shape `(batch, height, width, channels)`, in the range.
            restored: Tensor of the same shape.

        Returns:
            Float32 tensor of shape `(batch,)`.
        """
        raise NotImplementedError

    def frozen_variables(self) -> list[keras.Variable]:
        """Return the variables that `compute` reads: the weights of a network."""
        return []

    def per_image(self, clean: Tensor, restored: Tensor) -> np.ndarray:
        """Return the score of each image, without changing the metric's mean.

        Args:
            clean: Array or tensor of shape `(batch, height, width, channels)`, in
                the value range; integers or floats.
            restored: Array or tensor of the same shape.

        Returns:
            NumPy float64 array of shape `(batch,)`.

        Raises:
            ValueError: On different shapes, a wrong rank, number of channels or size,
                or values that are NaN, infinite or outside the range.
        """
        return np.asarray(self._checked_scores(clean, restored), "float64")

    def update_state(
        self, y_true: Tensor, y_pred: Tensor, sample_weight: Tensor | None = None
    ) -> None:
        """Add a batch to the mean.

        Args:
            y_true: Array or tensor of shape `(batch, height, width, channels)`, the
                clean images.
            y_pred: Array or tensor of the same shape, the restored ones.
            sample_weight: Array or tensor of shape `(batch,)`, the weight of each
                image in the mean, or `None` for 1.
        """
        if ops.is_tensor(y_true) or ops.is_tensor(y_pred):
            self._check_shapes(y_true.shape, y_pred.shape)
            y_pred = ops.stop_gradient(ops.convert_to_tensor(y_pred))
            scores = self.compute(ops.convert_to_tensor(y_true), y_pred)
        else:
            scores = ops.convert_to_tensor(self._checked_scores(y_true, y_pred))
        if sample_weight is None:
            weights = ops.ones_like(scores)
        else:
            weights = ops.cast(sample_weight, "float32")
            if not image_checks.same_shape(weights.shape, scores.shape):
                raise ValueError(
                    "`sample_weight` must have shape (batch,), one weight per image. "
                    f"Received: sample_weight of shape {tuple(weights.shape)}, images "
                    f"of shape {tuple(y_true.shape)}"
                )
            # An image of weight 0 is ignored, even if its score is infinite.
            scores = ops.where(weights == 0, ops.zeros_like(scores), scores)
        _add(self._total, ops.sum(weights * scores))
        _add(self._weight, ops.sum(weights))

    def result(self) -> Tensor:
        """Return the weighted mean since `reset_state`, a float32 scalar."""
        return ops.add(*self._total) / ops.add(*self._weight)

    def get_config(self) -> Config:
        return {**super().get_config(), "value_range": self.value_range}

    def _add_sum(self, name):
        return [
            self.add_variable((), "zeros", "float32", name=f"{name}{part}")
            for part in ("", "_rounding")
        ]

    def _check_shapes(self, clean_shape, restored_shape):
        image_checks.check_pair(clean_shape, restored_shape)
        why = f" for {type(self).__name__}"
        image_checks.check_shape(
            clean_shape, "clean", self.channels, self.smallest, why
        )

    def _checked_scores(self, clean, restored):
        clean, restored = (
            ops.convert_to_numpy(images)
            if ops.is_tensor(images)
            else np.asarray(images)
            for images in (clean, restored)
        )
        self._check_shapes(clean.shape, restored.shape)
        image_checks.check_values(clean, self.value_range, "clean")
        image_checks.check_values(restored, self.value_range, "restored")
        if self._compiled is None:
            self._compiled = compile_function(self.compute, self.frozen_variables())
        tensors = (
            ops.convert_to_tensor(images.astype("float32"))
            for images in (clean, restored)
        )
        return ops.convert_to_numpy(self._compiled(*tensors))


def _add(pair, value):
    """Add to a sum stored as a number and its rounding error (Knuth's two-sum)."""
    total, rounding = (ops.convert_to_tensor(part) for part in pair)
    added = total + value
    back = added - total
    lost = (total - (added - back)) + (value - back)
    pair[0].assign(added)
    pair[1].assign(ops.where(ops.isfinite(added), rounding + lost, 0.0))
