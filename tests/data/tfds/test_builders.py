"""Our tfds builders, on dummy data of the official archives' layout."""

import pathlib
import shutil
import sys
import tarfile

import cv2
import numpy as np
import pytest
import tensorflow_datasets as tfds
from scipy.io import savemat

from keras_indi.data import tfds as builders
from keras_indi.data.tfds import dpdd, gopro, paired_folders, real_blur, sidd

DUMMY = pathlib.Path(__file__).parent / "dummy_data"


class GoProTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = gopro.Builder
    EXAMPLE_DIR = DUMMY / "gopro"
    SPLITS = {"train": 3, "test": 2}


class DpddTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = dpdd.Builder
    EXAMPLE_DIR = DUMMY / "dpdd"
    SPLITS = {"train": 3, "validation": 1, "test": 2}


class RealBlurTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = real_blur.Builder
    EXAMPLE_DIR = DUMMY / "real_blur"
    SPLITS = {"train": 2, "test": 1}


class SiddTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = sidd.Builder
    EXAMPLE_DIR = DUMMY / "sidd"
    SPLITS = {"train": 4, "validation": 6}


class PairedFoldersTest(tfds.testing.DatasetBuilderTestCase):
    DATASET_CLASS = paired_folders.Builder
    EXAMPLE_DIR = DUMMY / "paired_folders_uint8"
    BUILDER_CONFIG_NAMES_TO_TEST = ["uint8"]
    SPLITS = {"train": 3, "validation": 1}


class PairedFolders16Test(PairedFoldersTest):
    EXAMPLE_DIR = DUMMY / "paired_folders_uint16"
    BUILDER_CONFIG_NAMES_TO_TEST = ["uint16"]
