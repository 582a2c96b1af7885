"""Defocus deblurring of a single image, DPDD."""

from keras_indi.data.tfds.dpdd.dpdd_dataset_builder import Builder

__all__ = ["Builder"]
