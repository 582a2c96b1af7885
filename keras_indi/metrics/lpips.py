"""Learned perceptual image patch similarity."""

import re
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import Config, FilePath, Tensor, ValueLimits
from keras_indi.metrics.image_metric import ImageMetric
from keras_indi.metrics.lpips_networks import alexnet, squeezenet, vgg16
from keras_indi.metrics.network_weights import pretrained_weights, serializable
from keras_indi.metrics.pretrained_layers import array_of, assign_convolutions
from keras_indi.validation import checked_choice

# Normalization of images in [-1, 1], for red, green and blue.
SHIFT = np.array([-0.030, -0.088, -0.188], "float32")
SCALE = np.array([0.458, 0.448, 0.450], "float32")

# Networks with the minimum height and width of an image for the last layer.
NETWORKS = {"alex": (alexnet, 31), "squeeze": (squeezenet, 17), "vgg": (vgg16, 16)}


@keras.saving.register_keras_serializable(package="keras_indi")
class LPIPS(ImageMetric):
    """Learned perceptual distance (LPIPS v0.1) of each image, averaged over images.

    Features of both images are computed with a classification network. At several
    layers, the features are normalized to unit length over channels, subtracted,
    squared, weighted by a learned head, and averaged over positions. LPIPS is the sum
    over layers. Identical images give 0, and lower is better. Scores of different
    networks cannot be compared. Most papers report `"alex"`.

    Args:
        network: `"alex"` (AlexNet, images of at least 31 pixels), `"squeeze"`
            (SqueezeNet 1.1, 17) or `"vgg"` (VGG-16, 16). Defaults to `"alex"`.
        weights: `None` to download the official weights of the network and the heads
            once. Or a path, or a list of paths, of PyTorch state dicts (torchvision's
            network and the heads, or those of an `lpips.LPIPS`), or of an `.npz`
            archive with `features.N.weight`, `features.N.bias` and `linK.weight`.
            Reading PyTorch files requires PyTorch, on every backend.
        value_range: Pair of numbers, the values of black and white. Defaults to
            `(0, 255)`.
        name: String. Defaults to `"lpips_alex"` and so on.
        dtype: As for `keras.metrics.Metric`. Computation is always in float32.

    Raises:
        ValueError: If `network` is unknown, or the weights are of another network.
        ImportError: If PyTorch is missing and required to read the weights.
        OSError: If a file does not exist or cannot be downloaded.

    Example:

    ```python
    lpips = keras_indi.metrics.LPIPS("alex")
    lpips.per_image(clean, restored)  # one score an image
    ```

    Reference: Zhang, Isola, Efros, Shechtman & Wang, The unreasonable
    effectiveness of deep features as a perceptual metric (CVPR 2018).
    """

    def __init__(
        self,
        network: str = "alex",
        weights: FilePath | Sequence[FilePath] | None = None,
        value_range: ValueLimits = (0, 255),
        name: str | None = None,
        dtype: Any = None,
    ) -> None:
        build, smallest = NETWORKS[checked_choice("network", network, NETWORKS)]
        super().__init__(value_range, 3, smallest, name or f"lpips_{network}", dtype)
        self.network = network
        self.weights = serializable(weights)
        source = f"lpips_{network}"
        arrays = {
            _plain_name(key): array
            for key, array in pretrained_weights(source, weights).items()
        }
        self._trunk = build()
        self._trunk.trainable = False
        assign_convolutions(self._trunk, arrays, source)
        self._heads = [
            self._head(arrays, source, index, taps.shape[-1])
            for index, taps in enumerate(self._trunk.outputs)
        ]

    def frozen_variables(self) -> list[keras.Variable]:
        return self._trunk.variables

    def compute(self, clean: Tensor, restored: Tensor) -> Tensor:
        count = ops.shape(clean)[0]
        images = ops.concatenate(
            [ops.cast(images, "float32") for images in (clean, restored)], axis=0
        )
        low, high = self.value_range
        images = 2 * (images - low) / (high - low) - 1
        images = ops.divide(ops.subtract(images, SHIFT), SCALE)
        distance = 0.0
        for features, head in zip(self._trunk(images, training=False), self._heads):
            length = ops.sqrt(ops.sum(ops.square(features), axis=-1, keepdims=True))
            features = features / (length + 1e-10)
            difference = ops.square(features[:count] - features[count:])
            weighted = ops.sum(ops.multiply(difference, head), axis=-1)
            distance = distance + ops.mean(weighted, axis=(1, 2))
        return distance

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "network": self.network,
            "weights": self.weights,
        }

    @staticmethod
    def _head(arrays, source, index, channels):
        head = array_of(arrays, f"lin{index}.weight", source, rank=4).reshape(-1)
        if len(head) != channels:
            raise ValueError(
                f"These are not the weights of {source}: `lin{index}.weight` needs "
                f"{channels} values. Received: {len(head)} values"
            )
        return head


def _plain_name(key):
    """Convert names of the lpips package to `features.N` and `linK`."""
    key = re.sub(r"^net\.slice\d+\.", "features.", key)
    return re.sub(r"^lin(\d+)\.model\.1\.", r"lin\1.", key)
