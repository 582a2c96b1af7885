"""The naive sampler of the paper's comparison."""

from typing import Any

import keras

from keras_indi import process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class NaiveSampler(Sampler):
    """Degrade the estimate again: `x_s = (1 - s) F(x_t, t) + s x_1`.

    The naive inference that the paper compares with (section on inference
    algorithms). x_1 is the start, y with its noise, which fades like that of the path.
    If eps_t varies, `s sqrt(eps_s^2 - eps_1^2) zeta` is added. First order, one
    evaluation per step, any grid, any noise schedule.

    Example:

    >>> restored = model.restore(image, num_steps=4, sampler="naive")
    """

    def initial_memory(self, images: Tensor) -> Any:
        return images

    def step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        estimate = predict(images, times)
        return process.interpolate(estimate, memory, next_times), memory

    def noise_scale(self, noise_schedule: Any, time: float, next_time: float) -> float:
        return self.scale_between(noise_schedule, 1.0, next_time)
