"""The improved sampler of Cold Diffusion."""

from typing import Any

import keras

from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.sampler import Sampler


@keras.saving.register_keras_serializable(package="keras_indi")
class ColdDiffusionSampler(Sampler):
    """`x_s = x_t + (t - s) (F(x_t, t) - x_1)`.

    Algorithm 2 of Bansal et al., "Cold Diffusion" (arXiv 2208.09392), for the straight
    path, as in the paper's comparison. x_1 is the start, y with its noise. One
    evaluation per step, any grid. Constant eps only: the rule does not damp the noise
    of earlier steps, so fresh noise would never fade.

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
