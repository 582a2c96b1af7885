"""Training from a configuration, as run by the `train` command."""

from keras_indi.training.training_config import TrainingConfig as TrainingConfig
from keras_indi.training.training_run import NETWORK as NETWORK
from keras_indi.training.training_run import train as train
