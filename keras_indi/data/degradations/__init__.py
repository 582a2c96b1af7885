"""Degradations: make degraded images from clean ones."""

import typing

from keras_indi.configurable import resolve as _resolve
from keras_indi.data.degradations.compose import Compose as Compose
from keras_indi.data.degradations.degradation import Degradation as Degradation
from keras_indi.data.degradations.keras_layer_degradation import (
    KerasLayerDegradation as KerasLayerDegradation,
)
from keras_indi.data.degradations.random_choice import RandomChoice as RandomChoice
from keras_indi.registry import Registry as _Registry

# An entry registers a class by its name, and exports it.
BUILTIN = _Registry(
    "keras_indi.data.degradations",
    {
        "gaussian_noise": "gaussian_noise:GaussianNoise",
        "poisson_gaussian_noise": "poisson_gaussian_noise:PoissonGaussianNoise",
        "jpeg_compression": "jpeg_compression:JPEGCompression",
        "downsample": "downsample:Downsample",
        "gaussian_blur": "gaussian_blur:GaussianBlur",
        "motion_blur": "motion_blur:MotionBlur",
        "defocus_blur": "defocus_blur:DefocusBlur",
        "frame_average": "frame_average:FrameAverage",
        "pure_noise": "pure_noise:PureNoise",
        "quantization": "quantization:Quantization",
    },
)
# Keras finds a saved class only once it is imported.
globals().update(BUILTIN.exports())

if typing.TYPE_CHECKING:  # type checkers do not see what a registry exports

    def __getattr__(name: str) -> typing.Any: ...


def get(identifier: typing.Any) -> Degradation:
    """Return a `Degradation` from an object, a name or a config."""
    return _resolve(identifier, Degradation, BUILTIN, "degradation")
