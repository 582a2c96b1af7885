"""Inversion by Direct Iteration (InDI) for Keras 3: supervised restoration.

Importing the package imports its classes, so that `keras.saving.load_model`
finds them.
"""

from keras_indi import callbacks as callbacks
from keras_indi import data as data
from keras_indi import evaluation as evaluation
from keras_indi import export as export
from keras_indi import images as images
from keras_indi import layers as layers
from keras_indi import metrics as metrics
from keras_indi import models as models
from keras_indi import presets as presets
from keras_indi import process as process
from keras_indi import restoration as restoration
from keras_indi import samplers as samplers
from keras_indi import schedules as schedules
from keras_indi import training as training
from keras_indi.models import ConditionalDDPM as ConditionalDDPM
from keras_indi.models import InDI as InDI
from keras_indi.models import UNetBackbone as UNetBackbone
from keras_indi.models import load_restorer as load_restorer
from keras_indi.version import __version__ as __version__

__all__ = [
    "ConditionalDDPM",
    "InDI",
    "UNetBackbone",
    "callbacks",
    "data",
    "evaluation",
    "export",
    "images",
    "layers",
    "load_restorer",
    "metrics",
    "models",
    "presets",
    "process",
    "restoration",
    "samplers",
    "schedules",
    "training",
]
