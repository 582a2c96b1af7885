"""TFDS builders of image restoration data sets, one folder per builder.

Importing a builder, for example `import keras_indi.data.tfds.gopro`, registers it
with TFDS. `keras_indi.data.load_tfds` does so automatically.
"""

BUILDERS = ("dpdd", "gopro", "paired_folders", "real_blur", "sidd")
