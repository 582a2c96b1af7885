"""FID and KID that share what they compute."""

import hashlib
from collections import OrderedDict

from keras_indi.metrics import FrechetDistance, KernelDistance

MOST = 2**14  # feature vectors kept: 256 MB at 2048 dimensions


class FeatureMemory:
    """Features of images that come again, the latest `MOST` of them.

    FID and KID want the same features, and so does every setting of a trade-off
    of the clean images; the extractor is what takes the time.
    """

    def __init__(self):
        self._features = OrderedDict()

    def features(self, images, compute):
        """What `compute(images)` gives, computed or remembered."""
        digest = hashlib.sha256(f"{images.shape}{images.dtype}".encode())
        digest.update(images.tobytes())
        key = digest.digest()
        if key not in self._features:
            self._features[key] = compute(images)
            if len(self._features) > MOST:
                self._features.popitem(last=False)
        self._features.move_to_end(key)
        return self._features[key]


class _Sharing:
    def __init__(self, memory, *args, **kwargs):
        self._memory = memory
        super().__init__(*args, **kwargs)

    def features(self, images):
        return self._memory.features(images, super().features)


class SharingFrechetDistance(_Sharing, FrechetDistance):
    """A `FrechetDistance` over a `FeatureMemory`, its first argument."""


class SharingKernelDistance(_Sharing, KernelDistance):
    """A `KernelDistance` over a `FeatureMemory`, its first argument."""
