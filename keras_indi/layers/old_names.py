"""The names that layers had in version 0.1, by which files of that time name them."""

# A preset or a `.keras` file holds them in its config and in the paths of its weights.
RENAMED = {
    "Convolution2D": "FastConv2D",
    "Downsampling2D": "DownsampleBlock",
    "Upsampling2D": "UpsampleBlock",
}
