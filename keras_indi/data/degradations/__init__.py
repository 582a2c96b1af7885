"""Degradations: what makes degraded images of clean ones."""

from typing import Any

from keras_indi.configurable import resolve
from keras_indi.data.degradations.compose import Compose as Compose
from keras_indi.data.degradations.defocus_blur import DefocusBlur as DefocusBlur
from keras_indi.data.degradations.degradation import Degradation as Degradation
from keras_indi.data.degradations.downsample import Downsample as Downsample
from keras_indi.data.degradations.frame_average import FrameAverage as FrameAverage
from keras_indi.data.degradations.gaussian_blur import GaussianBlur as GaussianBlur
from keras_indi.data.degradations.gaussian_noise import GaussianNoise as GaussianNoise
from keras_indi.data.degradations.jpeg_compression import (
    JPEGCompression as JPEGCompression,
)
from keras_indi.data.degradations.keras_layer_degradation import (
    KerasLayerDegradation as KerasLayerDegradation,
)
from keras_indi.data.degradations.motion_blur import MotionBlur as MotionBlur
from keras_indi.data.degradations.poisson_gaussian_noise import (
    PoissonGaussianNoise as PoissonGaussianNoise,
)
from keras_indi.data.degradations.pure_noise import PureNoise as PureNoise
from keras_indi.data.degradations.quantization import Quantization as Quantization
from keras_indi.data.degradations.random_choice import RandomChoice as RandomChoice

BUILTIN = {
    "gaussian_noise": GaussianNoise,
    "poisson_gaussian_noise": PoissonGaussianNoise,
    "jpeg_compression": JPEGCompression,
    "downsample": Downsample,
    "gaussian_blur": GaussianBlur,
    "motion_blur": MotionBlur,
    "defocus_blur": DefocusBlur,
    "frame_average": FrameAverage,
    "pure_noise": PureNoise,
    "quantization": Quantization,
}


def get(identifier: Any) -> Degradation:
    """A `Degradation` from an object, a name or a config."""
    return resolve(identifier, Degradation, BUILTIN, "degradation")
