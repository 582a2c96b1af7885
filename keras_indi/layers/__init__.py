"""Layers of the backbone."""

import keras

from keras_indi.layers import old_names
from keras_indi.layers.canvas import on_canvas as on_canvas
from keras_indi.layers.downsample_block import DownsampleBlock as DownsampleBlock
from keras_indi.layers.fast_conv2d import FastConv2D as FastConv2D
from keras_indi.layers.patches import DepthToSpace2D as DepthToSpace2D
from keras_indi.layers.patches import SpaceToDepth2D as SpaceToDepth2D
from keras_indi.layers.residual_block import ResidualBlock as ResidualBlock
from keras_indi.layers.time_embedding import TimeEmbedding as TimeEmbedding
from keras_indi.layers.upsample_block import UpsampleBlock as UpsampleBlock

for _old, _new in old_names.RENAMED.items():
    keras.saving.get_custom_objects()[f"keras_indi>{_old}"] = globals()[_new]
