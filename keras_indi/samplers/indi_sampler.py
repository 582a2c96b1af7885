"""The paper's sampler."""

from typing import Any

import keras

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class InDISampler(Sampler):
    """Algorithm 1 of the paper: Euler steps on the residual flow.

    `x_s = (1 - s/t) F(x_t, t) + (s/t) x_t`, plus
    `s sqrt(eps_s^2 - eps_t^2) zeta` where eps_t varies. First order, one
    evaluation a step, any grid, any noise schedule.

    Example:

    >>> sampler = keras_indi.samplers.InDISampler()
    >>> restored = model.restore(image, num_steps=4, sampler=sampler)
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
        return process.update(images, estimate, times, next_times), memory

    def noise_scale(self, noise_schedule: Any, time: float, next_time: float) -> float:
        return self.scale_between(noise_schedule, time, next_time)
