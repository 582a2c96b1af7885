"""The metrics of a protocol, at work."""

import numpy as np

from keras_indi.evaluation.protocol import (
    DEVIATION,
    kid_subset_size,
    running_versions,
)


class Scores:
    """Computes a protocol's figures, image by image.

    Args:
        protocol: A `Protocol`.
        count: Int, how many images there are.

    Attributes:
        versions: Dict of the versions that run, and the digests of the weights.
    """

    def __init__(self, protocol, count):
        self.protocol = protocol
        self.versions = {**running_versions(), "weights": protocol.weight_digests()}
        self._image_metrics = protocol.image_metrics()
        self._set_metrics = protocol.set_metrics(count)

    def reset(self):
        """Forgets all images."""
        for metric in self._set_metrics.values():
            metric.reset_state()

    def add(self, clean, restored):
        """Counts one pair in.

        Args:
            clean: NumPy array `(height, width, channels)`.
            restored: NumPy array of the same shape.

        Returns:
            Dict of names to floats, the pair's own figures.
        """
        clean, restored = clean[None], restored[None]
        figures = {
            name: float(metric.per_image(clean, restored)[0])
            for name, metric in self._image_metrics.items()
        }
        for metric in self._set_metrics.values():
            metric.update_state(clean, restored)
        return figures

    def means(self, rows):
        """The figures over all images.

        Args:
            rows: List of the dicts that `add` gave.

        Returns:
            Dict of the protocol's columns to floats.
        """
        figures = {
            name: float(np.mean([row[name] for row in rows]))
            for name in self._image_metrics
        }
        for name, metric in self._set_metrics.items():
            if name.startswith("kid") and self.protocol.kid_subset_size is None:
                # Fewer than there are, where some could not be read.
                metric.subset_size = kid_subset_size(len(rows))
            figures[name] = float(metric.result())
            if name.startswith("kid"):
                figures[name + DEVIATION] = float(metric.standard_deviation)
        return {name: figures[name] for name in self.protocol.columns}
