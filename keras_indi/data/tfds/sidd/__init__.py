"""Real smartphone noise, SIDD."""

from keras_indi.data.tfds.sidd.sidd_dataset_builder import Builder

__all__ = ["Builder"]
