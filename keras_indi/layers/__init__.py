"""The layers that the backbone is built from."""

from keras_indi.layers.canvas import on_canvas as on_canvas
from keras_indi.layers.convolution import Convolution2D as Convolution2D
from keras_indi.layers.patches import DepthToSpace2D as DepthToSpace2D
from keras_indi.layers.patches import SpaceToDepth2D as SpaceToDepth2D
from keras_indi.layers.resampling import Downsampling2D as Downsampling2D
from keras_indi.layers.resampling import Upsampling2D as Upsampling2D
from keras_indi.layers.residual_block import ResidualBlock as ResidualBlock
from keras_indi.layers.time_embedding import TimeEmbedding as TimeEmbedding
