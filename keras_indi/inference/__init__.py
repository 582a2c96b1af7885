"""What turns a trained network into restored images of any size."""

from keras_indi.inference.restore_file import restore_file as restore_file
