"""Trains a restorer from a configuration: what the `train` command does."""

from keras_indi.training.config import TrainingConfig as TrainingConfig
from keras_indi.training.train import NETWORK as NETWORK
from keras_indi.training.train import train as train
