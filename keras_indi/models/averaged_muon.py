"""Muon for the convolutions, Adam for the rest, with the average of `AveragedAdam`."""

from collections.abc import Sequence
from typing import Any

import keras
from keras import ops

from keras_indi.annotations import Config, Tensor
from keras_indi.models.averaged_adam import AveragedAdam
from keras_indi.validation import checked_number

# The quintic of the Newton-Schulz iteration (Jordan et al. 2024).
QUINTIC = (3.4445, -4.7750, 2.0315)
ITERATIONS = 5


@keras.saving.register_keras_serializable(package="keras_indi")
class AveragedMuon(AveragedAdam):
    """Muon on the kernels of convolutions, Adam on all other weights.

    Muon replaces the momentum of a weight matrix by the nearest orthogonal matrix, so
    that all its directions learn at one rate. `keras.optimizers.Muon` supports only
    matrices. Here a kernel of shape `(height, width, inputs, filters)` is treated as a
    matrix of shape `(height * width * inputs, filters)`. As in Liu et al. 2025, an
    update is scaled by 0.2 times the square root of the matrix's larger side. It then
    has the size of Adam's updates, so both share one learning rate. The weights are
    averaged as in `AveragedAdam`.

    Args:
        learning_rate: Float or schedule. Defaults to 1e-3.
        momentum: Float in [0, 1), the Nesterov momentum of kernels. Defaults to 0.95.
        use_ema: Bool. Defaults to `True`.
        ema_momentum: Float in [0, 1]. Defaults to 0.9999.
        **kwargs: Further arguments of `keras.optimizers.Adam`.

    Example:

    >>> optimizer = keras_indi.models.AveragedMuon(1e-3)
    >>> optimizer.use_ema
    True
    >>> model.compile(optimizer)

    Reference:
        Jordan et al., "Muon: An optimizer for hidden layers in neural networks", 2024.
        Liu et al., "Muon is Scalable for LLM Training", arXiv 2502.16982.
    """

    def __init__(
        self,
        learning_rate: float | keras.optimizers.schedules.LearningRateSchedule = 1e-3,
        momentum: float = 0.95,
        use_ema: bool = True,
        ema_momentum: float = 0.9999,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate, use_ema, ema_momentum, **kwargs)
        self.momentum = checked_number("momentum", momentum, least=0, below=1)

    def build(self, variables: Sequence[keras.Variable]) -> None:
        if self.built:
            return
        super().build(variables)
        self._kernel_momentums = [
            self.add_variable_from_reference(variable, "kernel_momentum")
            if _is_kernel(variable)
            else None
            for variable in variables
        ]

    def update_step(
        self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor
    ) -> None:
        if not _is_kernel(variable):
            super().update_step(gradient, variable, learning_rate)
            return
        gradient = ops.cast(gradient, variable.dtype)
        momentum = self._kernel_momentums[self._get_variable_index(variable)]
        self.assign(momentum, self.momentum * momentum + gradient)
        direction = gradient + self.momentum * momentum
        matrix = ops.reshape(direction, (-1, variable.shape[-1]))
        scale = 0.2 * max(matrix.shape) ** 0.5
        update = ops.reshape(scale * orthogonalized(matrix), variable.shape)
        rate = ops.cast(learning_rate, variable.dtype)
        self.assign_sub(variable, rate * update)

    def get_config(self) -> Config:
        return {**super().get_config(), "momentum": self.momentum}


def orthogonalized(matrix: Tensor) -> Tensor:
    """Approximate the nearest matrix with orthonormal rows or columns.

    Five Newton-Schulz iterations bring the singular values into [0.7, 1.2], which is
    close enough to 1 for an optimizer. They are computed in bfloat16, as in Jordan et
    al.

    Args:
        matrix: Float tensor of shape `(rows, columns)`.

    Returns:
        Tensor of the same shape and dtype. Zeros return zeros.
    """
    rows, columns = matrix.shape
    x = matrix / (ops.sqrt(ops.sum(ops.square(matrix))) + 1e-7)
    x = ops.cast(ops.transpose(x) if rows > columns else x, "bfloat16")
    a, b, c = QUINTIC
    for _ in range(ITERATIONS):
        square = ops.matmul(x, ops.transpose(x))
        polynomial = b * square + c * ops.matmul(square, square)
        x = a * x + ops.matmul(polynomial, x)
    return ops.cast(ops.transpose(x) if rows > columns else x, matrix.dtype)


def _is_kernel(variable):
    return len(variable.shape) == 4
