"""Ancestral sampling of denoising diffusion."""

import keras

from keras_indi import diffusion_process
from keras_indi.samplers.diffusion_sampler import DiffusionSampler


@keras.saving.register_keras_serializable(package="keras_indi")
class AncestralSampler(DiffusionSampler):
    """Draws from the path's own transitions, backwards (Ho et al. 2020, Algorithm 2).

    With the variance that they call beta tilde. One evaluation a step, any grid.
    """

    def step(self, predict, images, times, next_times, memory):
        estimate = predict(images, times)
        update = diffusion_process.ancestral_update
        return update(images, estimate, times, next_times), memory
