"""Frechet (Inception) distance."""

from typing import Any

import numpy as np

from keras_indi.metrics.feature_distance import FeatureDistance


class FrechetDistance(FeatureDistance):
    """Frechet distance between Gaussians fitted to features (FID).

    `|m1 - m2|^2 + tr(C1 + C2 - 2 (C1 C2)^(1/2))`, with the means m and the unbiased
    covariances C of the features of clean and of restored images, accumulated in
    float64. Unless the number of images is several times the dimensions, the score is
    biased upwards. Compare only scores of equal numbers of images, and use 768
    dimensions or `KernelDistance` for small sets. Scores of different extractors cannot
    be compared either: report the name, which includes the extractor.

    Args:
        extractor: `InceptionV3Features`, or any Keras model from images of shape
            `(batch, height, width, channels)`, in `value_range`, to features of
            shape `(batch, dimensions)`.
        value_range: Pair of numbers, the values of black and white. Defaults to that of
            the extractor, or `(0, 255)` if it has none.
        reference: Path of a file written by `save_reference`, which replaces the
            clean images, or `None`.
        name: String. Defaults to `"fid2048"`, `"fid768"`, or `"fid_"` followed by the
            name of the model.

    Raises:
        ValueError: If `extractor` is not a Keras model, or the reference was made with
            another extractor, other weights or another value range.

    Example:

    ```python
    fid = keras_indi.metrics.FrechetDistance(keras_indi.metrics.InceptionV3Features())
    for clean, restored in batches:
        fid.update_state(clean, restored)
    fid.result()
    fid.save_reference("clean.npz")  # FrechetDistance(extractor, reference=...)
    ```

    Reference: Heusel et al., GANs trained by a two time-scale update rule converge
    to a local Nash equilibrium (NeurIPS 2017).
    """

    kind = "fid"

    @property
    def counts(self) -> dict[str, int]:
        return {"clean": self._clean[0], "restored": self._restored[0]}

    def result(self) -> float:
        """Return the distance, a float. For equal sets it is 0 up to rounding.

        Raises:
            ValueError: With fewer than two images on either side.
        """
        self._check_counts(2, "")
        return distance_of_moments(self._clean, self._restored)

    def _empty(self):
        return NO_IMAGES

    def _added(self, state, features):
        return joined_moments(state, moments(features))

    def _saved(self, state):
        return dict(zip(("count", "mean", "scatter"), state))

    def _loaded(self, found):
        return int(found["count"]), found["mean"], found["scatter"]


# Statistics of a set of images: their number, the mean of their features, and the
# scatter, the sum of the outer products of the centered features.
Moments = tuple[int, Any, Any]
NO_IMAGES: Moments = (0, 0.0, 0.0)


def moments(features: np.ndarray) -> Moments:
    """Return count, mean and scatter of features of shape `(count, dimensions)`."""
    mean = features.mean(axis=0)
    spread = features - mean
    return len(features), mean, spread.T @ spread


def joined_moments(first: Moments, second: Moments) -> Moments:
    """Return count, mean and scatter of the union of two sets (Chan et al. 1979)."""
    count, mean, scatter = first
    added, center, own_scatter = second
    total = count + added
    if added == 0:
        return first
    step = center - mean
    scatter = scatter + own_scatter
    scatter = scatter + np.outer(step, step) * (count * added / total)
    return total, mean + step * (added / total), scatter


def distance_of_moments(clean: Moments, restored: Moments) -> float:
    """Return the Frechet distance of two sets of at least two images."""
    means, covariances = zip(
        *((mean, scatter / (count - 1)) for count, mean, scatter in (clean, restored))
    )
    return frechet_distance(means[0], covariances[0], means[1], covariances[1])


def frechet_distance(
    mean1: np.ndarray,
    covariance1: np.ndarray,
    mean2: np.ndarray,
    covariance2: np.ndarray,
) -> float:
    """Squared Frechet distance of two Gaussians.

    The trace of the root of C1 C2 is the sum of the singular values of F1^T F2, for any
    F F^T = C. Unlike a matrix root, this is real and exact for singular covariances,
    which occur with fewer images than dimensions.

    Args:
        mean1: Array of shape `(dimensions,)`.
        covariance1: Array of shape `(dimensions, dimensions)`.
        mean2: Array of shape `(dimensions,)`.
        covariance2: Array of shape `(dimensions, dimensions)`.

    Returns:
        Float, 0 or more.
    """
    overlap = np.linalg.svd(
        _factor(covariance1).T @ _factor(covariance2), compute_uv=False
    ).sum()
    traces = np.trace(covariance1) + np.trace(covariance2)
    distance = np.sum((mean1 - mean2) ** 2) + traces - 2 * overlap
    return max(float(distance), 0.0)


def _factor(covariance):
    """Return F of shape `(dimensions, rank)` with F F^T = C, without rounding noise."""
    values, vectors = np.linalg.eigh(covariance)
    kept = values > len(values) * np.finfo("float64").eps * values[-1]
    return vectors[:, kept] * np.sqrt(values[kept])
