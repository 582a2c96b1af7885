"""Computation of the scores of a protocol."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from keras_indi.evaluation.feature_cache import FeatureCache
from keras_indi.evaluation.protocol import (
    DEVIATION,
    kid_subset_size,
    running_versions,
)
from keras_indi.metrics import KernelDistance
from keras_indi.metrics.image_checks import check_pair

if TYPE_CHECKING:
    from keras_indi.evaluation.protocol import Protocol

# Features are added in batches: at 2048 dimensions, the outer product of one image
# takes about as long as that of many.
COUNTED_TOGETHER = 128


class Scorer:
    """Compute the scores of a protocol, image by image.

    Args:
        protocol: A `Protocol`.
        count: Int, number of images.

    Attributes:
        versions: Dict of the versions in use and the digests of the weights.
    """

    def __init__(self, protocol: "Protocol", count: int) -> None:
        self.protocol = protocol
        self.versions = {**running_versions(), "weights": protocol.weight_digests()}
        self._image_metrics = protocol.image_metrics()
        self._set_metrics = protocol.set_metrics(count)
        self._memory = {_extractor(name): FeatureCache() for name in self._set_metrics}
        self._waiting: list[Mapping[str, np.ndarray]] = []

    def reset(self) -> None:
        """Forget all images added by `count_in`."""
        self._waiting = []
        for metric in self._set_metrics.values():
            metric.reset_state()

    def measure(
        self, clean: np.ndarray, restored: np.ndarray
    ) -> tuple[dict[str, float], dict[str, np.ndarray]]:
        """Measure one pair, without adding it to the scores over all images.

        Args:
            clean: NumPy array `(height, width, channels)`.
            restored: NumPy array of the same shape.

        Returns:
            Two dicts. The first maps names to floats, the scores of the pair. The
            second maps extractors to arrays `(2, dimensions)`, the features of both
            images, for `count_in`.

        Raises:
            ValueError: If a metric does not support the images.
        """
        clean, restored = clean[None], restored[None]
        check_pair(clean.shape, restored.shape)
        scores = {
            name: float(metric.per_image(clean, restored)[0])
            for name, metric in self._image_metrics.items()
        }
        features = {}
        for name, metric in self._set_metrics.items():
            extractor = _extractor(name)
            if extractor not in features:
                known = self._memory[extractor].features(clean, metric.features)
                features[extractor] = np.vstack([known, metric.features(restored)])
        return scores, features

    def measures(
        self, scores: Mapping[str, Any], features: Mapping[str, np.ndarray]
    ) -> bool:
        """Return whether these have the form of a result of `measure`."""
        extractors = {_extractor(name) for name in self._set_metrics}
        return (
            scores.keys() == self._image_metrics.keys()
            and all(isinstance(score, float) for score in scores.values())
            and features.keys() == extractors
            and all(
                array.ndim == 2 and len(array) == 2 and array.dtype.kind == "f"
                for array in features.values()
            )
        )

    def count_in(self, features: Mapping[str, np.ndarray]) -> None:
        """Add the features of one pair to the scores over all images."""
        self._waiting.append(features)
        if len(self._waiting) == COUNTED_TOGETHER:
            self._count_waiting()

    def _count_waiting(self):
        waiting, self._waiting = self._waiting, []
        for name, metric in self._set_metrics.items() if waiting else ():
            pairs = np.stack([features[_extractor(name)] for features in waiting])
            metric.add_features(pairs[:, 0], pairs[:, 1])

    def means(self, rows: Sequence[Mapping[str, Any]]) -> dict[str, float]:
        """Return the scores over all images added by `count_in`.

        Args:
            rows: List of dicts with the scores of each pair.

        Returns:
            Dict from the protocol's columns to floats.
        """
        self._count_waiting()
        scores = {
            name: float(np.mean([row[name] for row in rows]))
            for name in self._image_metrics
        }
        for name, metric in self._set_metrics.items():
            if (
                isinstance(metric, KernelDistance)
                and self.protocol.kid_subset_size is None
            ):
                # Fewer than `count` if some images could not be read.
                metric.subset_size = kid_subset_size(len(rows))
            scores[name] = float(metric.result())
            if isinstance(metric, KernelDistance):
                scores[name + DEVIATION] = float(metric.standard_deviation)
        return {name: scores[name] for name in self.protocol.columns}


def _extractor(name):
    """Return the part of a metric's name that identifies its extractor."""
    return name[3:]
