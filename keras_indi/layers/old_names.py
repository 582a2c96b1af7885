"""Layer names of version 0.1, found in old files."""

# Presets and `.keras` files contain them in the config and in the paths of the weights.
RENAMED = {
    "Convolution2D": "FastConv2D",
    "Downsampling2D": "DownsampleBlock",
    "Upsampling2D": "UpsampleBlock",
}
