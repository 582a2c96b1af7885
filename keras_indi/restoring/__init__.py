"""Restores image files: what the `restore` command does, for Python."""

from keras_indi.restoring.compare import compare as compare
from keras_indi.restoring.photograph import Photograph as Photograph
from keras_indi.restoring.photograph import read_photograph as read_photograph
from keras_indi.restoring.restore_files import restore_files as restore_files
from keras_indi.restoring.write_photograph import write_photograph as write_photograph
