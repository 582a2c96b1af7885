"""The backbone, the restorer, and what trains it."""

from keras_indi.models.averaged_adam import AveragedAdam as AveragedAdam
from keras_indi.models.indi import InDI as InDI
from keras_indi.models.load_model import load_model as load_model
from keras_indi.models.per_image_loss import PerImageLoss as PerImageLoss
from keras_indi.models.unet import UNetBackbone as UNetBackbone
