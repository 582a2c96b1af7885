"""Denoising diffusion implicit models."""

from typing import Any

import keras

from keras_indi import diffusion_process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.diffusion_sampler import DiffusionSampler
from keras_indi.validation import checked_number


@keras.saving.register_keras_serializable(package="keras_indi")
class DDIMSampler(DiffusionSampler):
    """Fewer steps with less noise (Song et al. 2021, eq. 12).

    One evaluation per step, any grid. `ConditionalDDPM` clips its estimate of x to the
    value range. The step derives the noise from the clipped estimate, so that state,
    estimate and noise are consistent. Without clipping, as with `value_range=None`, it
    is the noise of the network, as in the paper.

    Args:
        eta: Float in [0, 1], the noise as a share of that of ancestral sampling. With
            0, only the start is random. 1 is `AncestralSampler`. Defaults to 0.

    Example:

    >>> restored = diffusion.restore(image, num_steps=4, sampler="ddim")
    """

    def __init__(self, eta: float = 0.0) -> None:
        self.eta = checked_number("eta", eta, least=0, most=1)

    def step(
        self,
        predict: Predict,
        images: Tensor,
        times: Tensor,
        next_times: Tensor,
        memory: Any,
    ) -> tuple[Tensor, Any]:
        estimate = predict(images, times)
        update = diffusion_process.ddim_update
        return update(images, estimate, times, next_times, self.eta), memory
