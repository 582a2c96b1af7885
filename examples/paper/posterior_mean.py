"""Restoration from where one step of another network ends: its posterior mean."""

import functools
import threading

import keras

from keras_indi.data.degradations import Degradation

WHITE = 255.0  # of the networks' range of values


@keras.saving.register_keras_serializable(package="paper_posterior_mean")
class PosteriorMean(Degradation):
    """Degrade, then restore in one step: what a second network starts from.

    Args:
        degradation: `Degradation`.
        path: Path of the model that restores.
    """

    def __init__(self, degradation, path):
        self.degradation = degradation
        self.path = path

    def apply(self, image, generator):
        degraded = self.degradation.apply(image, generator)
        model, lock = _loaded(self.path)
        with lock:
            return model.restore(degraded * WHITE, 1, verbose=0) / WHITE


@functools.cache
def _loaded(path):
    return keras.saving.load_model(path, compile=False), threading.Lock()


class AfterOneStep:
    """A model that starts where one step of another ends, as `restore` has it.

    Args:
        first: The model of the first step.
        model: The model of those that follow.
    """

    def __init__(self, first, model):
        self.first = first
        self.model = model

    def __getattr__(self, name):
        return getattr(self.model, name)

    def restore(self, images, num_steps, **arguments):
        means = self.first.restore(images, 1, verbose=0)
        return self.model.restore(means, num_steps, **arguments)

    def evaluations(self, *arguments):
        return 1 + self.model.evaluations(*arguments)
