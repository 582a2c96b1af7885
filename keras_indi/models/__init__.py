"""Backbone, restorers and optimizers."""

from keras_indi.models.averaged_adam import AveragedAdam as AveragedAdam
from keras_indi.models.averaged_muon import AveragedMuon as AveragedMuon
from keras_indi.models.conditional_ddpm import ConditionalDDPM as ConditionalDDPM
from keras_indi.models.indi import InDI as InDI
from keras_indi.models.loading import load_restorer as load_restorer
from keras_indi.models.per_image_loss import PerImageLoss as PerImageLoss
from keras_indi.models.restorer import Restorer as Restorer
from keras_indi.models.unet_backbone import UNetBackbone as UNetBackbone
