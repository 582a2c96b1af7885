"""The improved sampler of Cold Diffusion."""

from typing import Any

import keras

from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class ColdDiffusionSampler(Sampler):
    """`x_s = x_t + (t - s) (F(x_t, t) - x_1)`.

    Algorithm 2 of Bansal et al., "Cold Diffusion" (arXiv 2208.09392), for the
    straight path, as the paper compares with. x_1 is the start, y with its
    noise. One evaluation a step, any grid, constant eps only: the rule
    carries a step's noise on undamped, so that fresh noise could never fade.

    Example:

    >>> restored = model.restore(image, num_steps=4, sampler="cold_diffusion")
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
        return images + (times - next_times) * (estimate - memory), memory
