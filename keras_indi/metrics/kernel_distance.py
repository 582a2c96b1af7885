"""Kernel (Inception) distance."""

import keras
import numpy as np

from keras_indi.annotations import FilePath, ValueLimits
from keras_indi.metrics.feature_distance import FeatureDistance
from keras_indi.validation import checked_integer


class KernelDistance(FeatureDistance):
    """Unbiased squared maximum mean discrepancy of features (KID).

    The kernel is `k(a, b) = (a . b / dimensions + 1)^3`. The distance is computed on
    random subsets of the clean and of the restored images, drawn without replacement.
    The score is the mean over subsets, and their standard deviation is its uncertainty.
    Because it is unbiased, scores of sets of different sizes can be compared. It is
    about 0 for sets of the same distribution, and slightly negative half the time. It
    assumes independent sets. For small sets of the same scenes, such as pairs, the
    similarity within pairs makes it negative. Papers often report it times 1000 or 100.

    The order of images has no effect, because features are sorted before subsets are
    drawn. All features are kept: 16 kB per image at 2048 dimensions.

    Args:
        extractor: `InceptionV3Features`, or any Keras model from images of shape
            `(batch, height, width, channels)`, in `value_range`, to features of
            shape `(batch, dimensions)`.
        subset_size: Int, images per subset, at most the size of the smaller set. If it
            is the size of both sets, all subsets are equal and their standard
            deviation is 0. Defaults to 1000.
        num_subsets: Int. Defaults to 100.
        seed: Int, seed of the subsets. Defaults to 0.
        value_range: Pair of numbers, the values of black and white. Defaults to that of
            the extractor, or `(0, 255)` if it has none.
        reference: Path of a file written by `save_reference`, which replaces the
            clean images, or `None`.
        name: String. Defaults to `"kid2048"`, `"kid768"`, or `"kid_"` followed by the
            name of the model.

    Raises:
        ValueError: If `extractor` is no Keras model, a number is not valid, or the
            reference was made with another extractor, other weights or another
            value range.

    Example:

    ```python
    extractor = keras_indi.metrics.InceptionV3Features()
    kid = keras_indi.metrics.KernelDistance(extractor, subset_size=100)
    for clean, restored in batches:
        kid.update_state(clean, restored)
    kid.result(), kid.standard_deviation
    ```

    Reference: Binkowski, Sutherland, Arbel & Gretton, Demystifying MMD GANs
    (ICLR 2018).
    """

    kind = "kid"

    def __init__(
        self,
        extractor: keras.Model,
        subset_size: int = 1000,
        num_subsets: int = 100,
        seed: int = 0,
        value_range: ValueLimits | None = None,
        reference: FilePath | None = None,
        name: str | None = None,
    ) -> None:
        self.subset_size = checked_integer("subset_size", subset_size, least=2)
        self.num_subsets = checked_integer("num_subsets", num_subsets)
        self.seed = checked_integer("seed", seed, least=0)
        super().__init__(extractor, value_range, reference, name)

    @property
    def counts(self) -> dict[str, int]:
        return {
            name: sum(map(len, groups))
            for name, groups in (("clean", self._clean), ("restored", self._restored))
        }

    def result(self) -> float:
        """Return the mean over subsets, a float.

        Raises:
            ValueError: If either set has fewer images than `subset_size`.
        """
        return float(self._of_subsets().mean())

    @property
    def standard_deviation(self) -> float:
        """The standard deviation over subsets, a float."""
        return float(self._of_subsets().std())

    def _of_subsets(self):
        self._check_counts(
            self.subset_size, f" for subset_size={self.subset_size}, which can be less"
        )
        if self._distances is None:
            clean, restored = _sorted(self._clean), _sorted(self._restored)
            random = np.random.default_rng(self.seed)
            self._distances = np.array(
                [
                    kernel_distance(
                        random.choice(clean, self.subset_size, replace=False),
                        random.choice(restored, self.subset_size, replace=False),
                    )
                    for _ in range(self.num_subsets)
                ]
            )
        return self._distances

    def _empty(self):
        self._distances = None
        return ()

    def _added(self, state, features):
        self._distances = None
        return (*state, features)

    def _saved(self, state):
        return {"features": _sorted(state)}

    def _loaded(self, found):
        return (found["features"],)


def kernel_distance(first: np.ndarray, second: np.ndarray) -> float:
    """Return the unbiased squared maximum mean discrepancy with a cubic kernel.

    Args:
        first: Array of shape `(count, dimensions)`, two or more.
        second: Array of shape `(other_count, dimensions)`, two or more.

    Returns:
        Float, negative if the difference of the sets is smaller than their noise.
    """

    def kernel(a, b):
        return (a @ b.T / a.shape[1] + 1) ** 3

    def mean_of_different(features):
        values, count = kernel(features, features), len(features)
        return (values.sum() - np.trace(values)) / (count * (count - 1))

    within = mean_of_different(first) + mean_of_different(second)
    return float(within - 2 * kernel(first, second).mean())


def _sorted(groups):
    features = np.concatenate(groups)
    return features[np.lexsort(features.T[::-1])]
