"""Data sets of the field as tfds builders; a builder's folder holds all about it.

Importing one, for example `import keras_indi.data.tfds.gopro`, registers it with
tfds. `keras_indi.data.load_tfds` does so by itself.
"""

BUILDERS = ("dpdd", "gopro", "paired_folders", "real_blur", "sidd")
