"""Data to train on."""

from keras_indi.data import degradations as degradations
from keras_indi.data import resize as resize
