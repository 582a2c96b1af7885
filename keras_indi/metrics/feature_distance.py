"""Base class of FID and KID: distances between the features of two image sets."""

import hashlib
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import FilePath, Tensor, ValueLimits
from keras_indi.backend.compiled import compile_function
from keras_indi.images.archives import read_archive
from keras_indi.images.whole_writes import write_whole
from keras_indi.metrics import image_checks
from keras_indi.validation import checked_value_range


class FeatureDistance:
    """Base class of distances between features of clean and of restored images.

    It has the three methods of a Keras metric but is not one, because it cannot run
    inside a training step. A subclass sets `kind` and implements `counts` and `result`.
    It also implements `_empty`, `_added`, `_saved` and `_loaded` on the state of a set
    of images. Features are kept in float64.

    Args:
        extractor: `InceptionV3Features`, or any Keras model from images of shape
            `(batch, height, width, channels)`, in `value_range`, to features of
            shape `(batch, dimensions)`.
        value_range: Pair of numbers, the values of black and white. Defaults to the
            `value_range` of the extractor, or `(0, 255)` if it has none.
        reference: Path of a file written by `save_reference`, which replaces the
            clean images, or `None`.
        name: String.
    """

    kind: str | None = None

    def __init__(
        self,
        extractor: keras.Model,
        value_range: ValueLimits | None = None,
        reference: FilePath | None = None,
        name: str | None = None,
    ) -> None:
        if not isinstance(extractor, keras.Model) or not extractor.built:
            raise ValueError(
                "`extractor` must be an InceptionV3Features or another Keras model "
                f"that is built. Received: extractor={extractor!r}"
            )
        if value_range is None:
            value_range = getattr(extractor, "value_range", (0, 255))
        self.extractor = extractor
        self.value_range = checked_value_range(value_range)
        if self.value_range != getattr(extractor, "value_range", self.value_range):
            raise ValueError(
                "`value_range` must be that of the extractor, "
                f"{extractor.value_range}. Received: value_range={value_range}"
            )
        dimensions = getattr(extractor, "dimensions", f"_{extractor.name}")
        self.name = name or f"{self.kind}{dimensions}"
        self.reference = reference
        self._compiled = compile_function(
            lambda images: extractor(images, training=False), extractor.variables
        )
        self._reference = None if reference is None else self._load_reference(reference)
        self.reset_state()

    def reset_state(self) -> None:
        """Remove all images. A reference read from a file is kept."""
        self._clean = self._empty() if self._reference is None else self._reference
        self._restored = self._empty()

    def update_state(self, clean: Tensor | None, restored: Tensor | None) -> None:
        """Add batches to the two sets.

        Args:
            clean: Array or tensor of shape `(batch, height, width, channels)`, in the
                value range. Or `None` to add only restored images, as with a
                reference.
            restored: Array or tensor of the same shape. Or `None` to add only clean
                images. To compare sets of different sizes, add them separately.

        Raises:
            ValueError: On different shapes, a wrong rank or number of channels, or
                values that are NaN, infinite or outside the range. Also if the
                extractor does not return one vector per image, or clean images are
                passed with a reference.
        """
        if clean is not None and self.reference is not None:
            raise ValueError(
                f"The reference {self.reference} replaces the clean images: call "
                "`update_state(None, restored)`. "
                f"Received: clean of shape {np.shape(clean)}"
            )
        clean = self._checked(clean, "clean")
        restored = self._checked(restored, "restored")
        if clean is not None and restored is not None:
            image_checks.check_pair(clean.shape, restored.shape)
        # Both are computed before either is added.
        features = [
            None if images is None else self._features(images)
            for images in (clean, restored)
        ]
        self.add_features(*features)

    def add_features(
        self, clean: np.ndarray | None, restored: np.ndarray | None
    ) -> None:
        """Add features of images to the two sets.

        Args:
            clean: Result of `features` for clean images, or `None`.
            restored: Result of `features` for restored images, or `None`.
        """
        if clean is not None:
            self._clean = self._added(self._clean, clean)
        if restored is not None:
            self._restored = self._added(self._restored, restored)

    def features(self, images: Tensor) -> np.ndarray:
        """Compute features of images.

        Args:
            images: Array or tensor of shape `(batch, height, width, channels)`, in
                the value range.

        Returns:
            NumPy float64 array of shape `(batch, dimensions)`.
        """
        return self._features(self._checked(images, "images"))

    def save_reference(self, path: FilePath) -> None:
        """Write the state of the clean images, for use as `reference`.

        Args:
            path: Path of an `.npz` file, which is written atomically. Its folder is
                created.

        Raises:
            ValueError: With fewer than two clean images.
        """
        if self.counts["clean"] < 2:
            raise ValueError(
                "A reference needs at least 2 clean images. "
                f"Received: {self.counts['clean']} clean images"
            )

        def save(partial):
            # Pass a file, because NumPy would change the extension of a path.
            with open(partial, "wb") as file:
                np.savez(file, **self._identity(), **self._saved(self._clean))

        write_whole(path, save)

    @property
    def counts(self) -> dict[str, int]:
        """Dict with the numbers of `clean` and `restored` images."""
        raise NotImplementedError

    def result(self) -> float:
        """Return the distance, a float."""
        raise NotImplementedError

    def _features(self, images):
        features = ops.convert_to_numpy(
            self._compiled(ops.convert_to_tensor(images.astype("float32")))
        )
        if features.ndim != 2 or not np.isfinite(features).all():
            raise ValueError(
                "`extractor` must return one vector of finite features per image, of "
                "shape (batch, dimensions): end it with a GlobalAveragePooling2D. "
                f"Received: features of shape {features.shape}"
            )
        return features.astype("float64")

    def _checked(self, images, argument):
        if images is None:
            return None
        images = ops.convert_to_numpy(images) if ops.is_tensor(images) else images
        images = np.asarray(images)
        inputs = getattr(self.extractor, "inputs", None)
        channels = inputs[0].shape[-1] if inputs else None
        image_checks.check_shape(images.shape, argument, channels)
        image_checks.check_values(images, self.value_range, argument)
        return images

    def _identity(self):
        digest = hashlib.sha256()
        for variable in self.extractor.weights:
            digest.update(ops.convert_to_numpy(variable.value).tobytes())
        return {
            "kind": self.kind,
            "extractor": self.extractor.name,
            "extractor_weights": digest.hexdigest(),
            "value_range": self.value_range,
        }

    def _load_reference(self, path):
        found = read_archive(path, "make it again with `save_reference`")
        for key, value in self._identity().items():
            if key not in found or not np.array_equal(found[key], value):
                raise ValueError(
                    f"The reference {path} was not made by this metric: its `{key}` "
                    f"must be {value}. Make it again with `save_reference`. "
                    f"Received: {key}={found.get(key)}"
                )
        return self._loaded(found)

    def _empty(self) -> Any:
        raise NotImplementedError

    def _added(self, state, features) -> Any:
        raise NotImplementedError

    def _saved(self, state) -> dict[str, Any]:
        raise NotImplementedError

    def _loaded(self, found) -> Any:
        raise NotImplementedError

    def _check_counts(self, least, why):
        for name, count in self.counts.items():
            if count < least:
                raise ValueError(
                    f"{type(self).__name__} needs at least {least} {name} images{why}. "
                    f"Received: {count} {name} images"
                )
