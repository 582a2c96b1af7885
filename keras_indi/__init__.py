"""Inversion by Direct Iteration (InDI) for Keras 3: supervised restoration."""

from keras_indi import callbacks as callbacks
from keras_indi import data as data
from keras_indi import diffusion_process as diffusion_process
from keras_indi import evaluation as evaluation
from keras_indi import images as images
from keras_indi import inference as inference
from keras_indi import layers as layers
from keras_indi import metrics as metrics
from keras_indi import models as models
from keras_indi import presets as presets
from keras_indi import process as process
from keras_indi import restoration as restoration
from keras_indi import samplers as samplers
from keras_indi import schedules as schedules
from keras_indi import training as training
from keras_indi.version import __version__ as __version__
