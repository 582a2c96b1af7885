"""Training data."""

from keras_indi.data import degradations as degradations
from keras_indi.data import resize as resize
from keras_indi.data.check import check_folders as check_folders
from keras_indi.data.folders import pairs_from_folders as pairs_from_folders
from keras_indi.data.pairs import Pairs as Pairs
from keras_indi.data.pipeline import make_pairs as make_pairs
from keras_indi.data.preparation import prepare as prepare
from keras_indi.data.tfds.tfds_pairs import load_tfds as load_tfds
from keras_indi.images.decoding import UnusableImageError as UnusableImageError
from keras_indi.images.decoding import inspect_image as inspect_image
from keras_indi.images.decoding import read_image as read_image
from keras_indi.images.image_files import ImageFiles as ImageFiles
from keras_indi.images.image_files import find_images as find_images
