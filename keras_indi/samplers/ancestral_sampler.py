"""Ancestral sampling of denoising diffusion."""

from typing import Any

import keras

from keras_indi import diffusion_process
from keras_indi.annotations import Predict, Tensor
from keras_indi.samplers.diffusion_sampler import DiffusionSampler


@keras.saving.register_keras_serializable(package="keras_indi")
class AncestralSampler(DiffusionSampler):
    """Draw from the path's own transitions, backwards (Ho et al. 2020, Algorithm 2).

    It uses their variance beta tilde. One evaluation per step, any grid.

    Example:

    >>> restored = diffusion.restore(image, num_steps=4, sampler="ancestral")
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
        update = diffusion_process.ancestral_update
        return update(images, estimate, times, next_times), memory
