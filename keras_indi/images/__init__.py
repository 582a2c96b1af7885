"""Image files and arrays: decoding, encoding, metadata, whole writes. No model here."""

from keras_indi.images.decoding import ImageInfo as ImageInfo
from keras_indi.images.decoding import UnusableImageError as UnusableImageError
from keras_indi.images.decoding import inspect_image as inspect_image
from keras_indi.images.decoding import read_image as read_image
from keras_indi.images.encoding import write_photograph as write_photograph
from keras_indi.images.encoding import write_png as write_png
from keras_indi.images.photograph import Photograph as Photograph
from keras_indi.images.photograph import read_photograph as read_photograph
from keras_indi.images.whole_writes import write_whole as write_whole
