"""Restore image files. The Python API of the `restore` command."""

from keras_indi.restoration.comparison import compare as compare
from keras_indi.restoration.file_restoration import restore_file as restore_file
from keras_indi.restoration.file_restoration import restore_files as restore_files
from keras_indi.restoration.seeds import file_seed as file_seed
