"""Cache of image features, shared by several scores."""

import hashlib
from collections import OrderedDict
from collections.abc import Callable

import numpy as np

MOST = 2**14  # feature vectors kept: 256 MB at 2048 dimensions


class FeatureCache:
    """Cache of the latest `MOST` feature vectors.

    Every setting of a trade-off needs the features of the same clean images, and
    computing them takes most of the time.
    """

    def __init__(self) -> None:
        self._features: OrderedDict[bytes, np.ndarray] = OrderedDict()

    def features(
        self, images: np.ndarray, compute: Callable[[np.ndarray], np.ndarray]
    ) -> np.ndarray:
        """Return `compute(images)`, from the cache if possible."""
        digest = hashlib.sha256(f"{images.shape}{images.dtype}".encode())
        digest.update(images.tobytes())
        key = digest.digest()
        if key not in self._features:
            self._features[key] = compute(images)
            if len(self._features) > MOST:
                self._features.popitem(last=False)
        self._features.move_to_end(key)
        return self._features[key]
