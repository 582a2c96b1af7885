"""Model handler for Beam's `RunInference`."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from keras_indi.beam.apache import imported
from keras_indi.beam.loaded_model import LoadedModel
from keras_indi.beam.restore_files import (
    MAX_MEMORY,
    OPTIONS,
    check_options,
    found_preset,
)
from keras_indi.beam.workers import import_modules
from keras_indi.restoration.seeds import file_seed
from keras_indi.validation import checked_integer

inference: Any = imported("apache_beam.ml.inference.base")
ALLOWED = (*OPTIONS, "num_samples", "engine")


class ModelHandler(inference.ModelHandler):
    """Restore arrays with Beam's `RunInference`.

    Inputs are arrays of shape `(height, width, channels)` in the model's value range.
    Outputs are restored arrays of the same dtype, in the same order. The seed of an
    image depends on its content. On machines of the same type, the result of an array
    therefore does not depend on its batch. To attach names to images, use Beam's
    `KeyedModelHandler`.

    Args:
        preset: As for `load_restorer`. Workers must be able to load it too.
        seed: Int, seed of the noise. Defaults to 0.
        dtype: As for `load_restorer`.
        max_memory: As for `RestoreFiles`.
        max_batch_size: Int, maximum size of Beam's batches.
        modules: As for `RestoreFiles`.
        **options: Further arguments of `model.restore`: those of `RestoreFiles`,
            `num_samples` and `engine`.

    Raises:
        ValueError: If the preset does not exist, or an argument is not valid, before
            the pipeline runs.
        ImportError: If Apache Beam, or one of `modules`, is missing.

    Example:

    ```python
    handler = keras_indi.beam.ModelHandler("jpeg", num_steps=4)
    restored = images | RunInference(KeyedModelHandler(handler))  # of (name, array)
    ```
    """

    def __init__(
        self,
        preset: str,
        *,
        seed: int = 0,
        dtype: str = "auto",
        max_memory: int = MAX_MEMORY,
        max_batch_size: int = 64,
        modules: Sequence[str] = (),
        **options: Any,
    ) -> None:
        self._modules = import_modules(modules)
        check_options(options, ALLOWED, seed, dtype, max_memory)
        checked_integer("max_batch_size", max_batch_size)
        super().__init__(min_batch_size=1, max_batch_size=max_batch_size)
        self._preset = found_preset(preset)
        self._seed = seed
        self._dtype = dtype
        fixed = {"max_memory": max_memory, "fixed_shapes": True, "verbose": 0}
        self._options = {**options, **fixed}

    def load_model(self) -> LoadedModel:
        return LoadedModel(self._preset, self._dtype, self._modules)

    def run_inference(
        self,
        batch: Sequence[np.ndarray],
        model: LoadedModel,
        inference_args: dict[str, Any] | None = None,
    ) -> Iterable[np.ndarray]:
        options = {**self._options, **(inference_args or {})}
        seeds = [file_seed(self._seed, _content(image)) for image in batch]
        return model.restore(list(batch), seed=seeds, **options)

    def get_num_bytes(self, batch: Sequence[np.ndarray]) -> int:
        return sum(image.nbytes for image in batch)

    def get_metrics_namespace(self) -> str:
        return "keras_indi"


def _content(image):
    """Return a digest of an image."""
    image = np.ascontiguousarray(image)
    digest = hashlib.sha256(f"{image.shape} {image.dtype}".encode())
    digest.update(image)
    return digest.hexdigest()
