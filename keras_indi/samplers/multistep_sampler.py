"""A two-step Adams-Bashforth method on the residual flow."""

from typing import Any

import keras
from keras import ops

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class MultistepSampler(Sampler):
    """Two-step Adams-Bashforth on `dx_t/dt = (x_t - F(x_t, t)) / t`.

    With h = s - t, the last step h' and the flow d' at its start,
    `x_s = x_t + h ((1 + h / 2h') d_t - (h / 2h') d')`, the rule for unequal
    steps; the first step is Euler's. Second order at one evaluation per step.
    Any grid, constant eps.

    Example:

    >>> restored = model.restore(image, num_steps=4, sampler="multistep")
    """

    def initial_memory(self, images: Tensor) -> Any:
        # The flow and the time before; infinity marks that there was none,
        # and takes the weight of the old flow to zero.
        return ops.zeros_like(images), ops.cast(float("inf"), images.dtype)

    def step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        last_flow, last_time = memory
        flow = process.residual_flow(images, predict(images, times), times)
        step = next_times - times
        weight = 0.5 * step / (times - last_time)
        slope = (1.0 + weight) * flow - weight * last_flow
        return images + step * slope, (flow, times)
