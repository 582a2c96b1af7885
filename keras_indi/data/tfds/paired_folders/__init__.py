"""Image pairs in folders."""

from keras_indi.data.tfds.paired_folders.paired_folders_dataset_builder import Builder

__all__ = ["Builder"]
