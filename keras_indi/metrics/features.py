"""Feature extractor of FID and KID."""

import re
from collections.abc import Sequence
from typing import Any, Self

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Config, FilePath, ValueLimits
from keras_indi.metrics.inception_v3 import blocks_to_6e, blocks_to_7c
from keras_indi.metrics.network_weights import pretrained_weights, serializable
from keras_indi.metrics.pretrained_layers import assign_convolutions
from keras_indi.validation import checked_choice, checked_value_range

BATCH_NORMALIZATION_EPSILON = 1e-3


@keras.saving.register_keras_serializable(package="keras_indi")
class InceptionV3Features(keras.Model):
    """Inception-v3 as used to define FID: the graph of 2015-12-05.

    Images of any size are resized to 299x299 (bilinear, half-pixel centres, no
    antialiasing) and scaled to [-1, 1]. Unlike in torchvision and `keras.applications`,
    average pools exclude padding, and the last block has a max pool. Batch
    normalization is folded into the convolutions. Scores with 2048 and with 768
    dimensions cannot be compared.

    Args:
        dimensions: 2048, the mean of the last block, as in most papers, or 768, the
            mean of Mixed_6e. Defaults to 2048.
        weights: `None` to download the official file of pytorch-fid once. Or a path of
            that file or of an `.npz` archive. An archive uses the names of that file,
            or those of the graph (`conv.weight`, `mixed_7_tower_2_conv.bias`), which
            support only 768 dimensions. Reading the PyTorch file requires PyTorch, on
            every backend.
        value_range: Pair of numbers, the values of black and white. Defaults to
            `(0, 255)`.
        name: String. Defaults to `"inception_v3_2048"` or `"inception_v3_768"`.

    Call arguments:
        images: Tensor of shape `(batch, height, width, 3)`, RGB in the range.

    Returns:
        Tensor of shape `(batch, dimensions)`.

    Raises:
        ValueError: If `dimensions` is not valid, or the weights are of another network.
        ImportError: If PyTorch is missing and required to read the weights.
        OSError: If the file does not exist or cannot be downloaded.

    Example:

    ```python
    extractor = keras_indi.metrics.InceptionV3Features(768, weights="inception.npz")
    extractor.predict_on_batch(images)  # (batch, 768)
    ```

    Reference: Heusel et al., GANs trained by a two time-scale update rule converge
    to a local Nash equilibrium (NeurIPS 2017).
    """

    def __init__(
        self,
        dimensions: int = 2048,
        weights: FilePath | Sequence[FilePath] | None = None,
        value_range: ValueLimits = (0, 255),
        name: str | None = None,
        **kwargs: Any,
    ) -> None:
        checked_choice("dimensions", dimensions, (768, 2048))
        value_range = checked_value_range(value_range)
        arrays = pretrained_weights("inception_v3", weights)
        images = keras.Input((None, None, 3))
        x = ops.image.resize(
            images,
            (299, 299),
            interpolation="bilinear",
            antialias=False,
            data_format="channels_last",
        )
        low, high = value_range
        x = blocks_to_6e(2 * (x - low) / (high - low) - 1)
        if dimensions == 2048:
            x = blocks_to_7c(x)
        super().__init__(
            images,
            ops.mean(x, axis=(1, 2)),
            name=name or f"inception_v3_{dimensions}",
            **kwargs,
        )
        self.trainable = False
        self.dimensions = dimensions
        self.value_range = value_range
        self._source = serializable(weights)
        names = [
            layer.name.replace("-", ".")
            for layer in self.layers
            if isinstance(layer, keras.layers.Conv2D)
        ]
        arrays = _folded(_pytorch_names(arrays, names))
        assign_convolutions(self, arrays, "inception_v3")

    def get_config(self) -> Config:
        return {
            "dimensions": self.dimensions,
            "weights": self._source,
            "value_range": self.value_range,
            "name": self.name,
        }

    @classmethod
    def from_config(cls, config: Config) -> Self:
        return cls(**config)


# Order in which the graph numbers its blocks, and the branches of a block.
GRAPH_STEM = ("1a_3x3", "2a_3x3", "2b_3x3", "3b_1x1", "4a_3x3")
GRAPH_BLOCKS = ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e")
GRAPH_BRANCHES = {
    "5": ("1x1", "5x5", "3x3dbl", "_pool"),
    "6a": ("3x3", "3x3dbl"),
    "6": ("1x1", "7x7", "7x7dbl", "_pool"),
}


def _graph_name(name):
    """Convert the PyTorch name of a convolution to its name in the graph."""

    def numbered(text, index):
        return f"{text}_{index}" if index else text

    if name.startswith("Conv2d_"):
        return numbered("conv", GRAPH_STEM.index(name.removeprefix("Conv2d_")))
    pattern = r"Mixed_(\w+)\.branch(\w+?)(?:_(\d))?"
    block, branch, number = re.fullmatch(pattern, name).groups()
    branches = GRAPH_BRANCHES.get(block) or GRAPH_BRANCHES[block[0]]
    parts = [numbered("mixed", GRAPH_BLOCKS.index(block))]
    if tower := branches.index(branch):
        parts.append(numbered("tower", tower - 1))
    parts.append(numbered("conv", int(number or 1) - 1))
    return "_".join(parts)


def _pytorch_names(arrays, names):
    """Rename arrays from the names of the graph to those of PyTorch."""
    if "conv.weight" not in arrays:
        return arrays
    return {
        f"{name}.{part}": arrays[key]
        for name in names
        if not name.startswith("Mixed_7")  # no archive of the graph's names has them
        for part in ("weight", "bias")
        if (key := f"{_graph_name(name)}.{part}") in arrays
    }


def _folded(arrays):
    """Fold each batch normalization into its convolution."""
    arrays = dict(arrays)
    for key in [key for key in arrays if key.endswith(".bn.running_var")]:
        name = key.removesuffix(".bn.running_var")
        gain, shift, mean, variance = (
            np.asarray(arrays[f"{name}.bn.{part}"], "float64")
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        gain = gain / np.sqrt(variance + BATCH_NORMALIZATION_EPSILON)
        kernel = np.asarray(arrays[f"{name}.conv.weight"], "float64")
        arrays[f"{name}.weight"] = gain[:, None, None, None] * kernel
        arrays[f"{name}.bias"] = shift - gain * mean
    return arrays
