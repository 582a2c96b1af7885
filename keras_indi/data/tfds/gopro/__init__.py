"""Motion deblurring, GOPRO_Large."""

from keras_indi.data.tfds.gopro.gopro_dataset_builder import Builder

__all__ = ["Builder"]
