"""Trains a restorer from a configuration: what the `train` command does."""

from keras_indi.training.training_config import TrainingConfig as TrainingConfig
from keras_indi.training.training_run import NETWORK as NETWORK
from keras_indi.training.training_run import train as train
