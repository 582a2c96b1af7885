"""Real camera shake, RealBlur."""

from keras_indi.data.tfds.real_blur.real_blur_dataset_builder import Builder

__all__ = ["Builder"]
