"""Heun's method on the residual flow."""

from typing import Any

import keras

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class HeunSampler(Sampler):
    """Heun's second-order method on `dx_t/dt = (x_t - F(x_t, t)) / t`.

    An InDI step to s, then the mean of the flow at both ends (Algorithm 1 of
    Karras et al. 2022 with sigma(t) = t). Two evaluations per step, except for one in
    the last step, which would require F at t = 0: `2 N - 1` in total. Any grid,
    constant eps.

    Example:

    >>> restored = model.restore(image, num_steps=4, sampler="heun")
    """

    def step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        estimate = predict(images, times)
        flow = process.residual_flow(images, estimate, times)
        ahead = process.update(images, estimate, times, next_times)
        flow_ahead = process.residual_flow(
            ahead, predict(ahead, next_times), next_times
        )
        mean_flow = 0.5 * (flow + flow_ahead)
        return images + (next_times - times) * mean_flow, memory

    def last_step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        estimate = predict(images, times)
        return process.update(images, estimate, times, next_times), memory

    def evaluations(self, num_steps: int) -> int:
        return 2 * num_steps - 1
