"""Use an image layer of Keras or KerasCV as a degradation."""

import inspect
import threading

import keras
import numpy as np

from keras_indi.annotations import Config, ValueLimits
from keras_indi.backend.tensorflow_random import reseed_tensorflow
from keras_indi.data.degradations.degradation import Degradation
from keras_indi.optional_packages import optional_import
from keras_indi.validation import checked_integer, checked_value_range

# Value ranges of layers that have no `value_range` and do not use (0, 255).
LAYER_RANGES = {"RandomJpegQuality": (0, 1)}


@keras.saving.register_keras_serializable(package="keras_indi")
class KerasLayerDegradation(Degradation):
    """Apply an image layer of Keras or KerasCV, with a new seed for each image.

    The layer is called eagerly with one image and `training=True`, on the current
    backend. A lock limits it to one image at a time per process. All of its seed
    generators are set from the seed of the call. The result depends on the backend,
    like the random numbers of Keras.

    KerasCV is in maintenance mode. Its last release is 0.9.0 of April 2024, and most of
    its image layers are now in Keras. The main ones that Keras lacks are
    `RandomJpegQuality` and `GridMask`. KerasCV requires TensorFlow on every backend:
    `pip install "keras-indi[cv,tensorflow]"`. Its layers run in TensorFlow, take tens
    of milliseconds per image, and use TensorFlow's global random generators. A call
    therefore reseeds these generators in its process.

    Args:
        layer: A `keras.layers.Layer` that maps an image to one of the same shape,
            such as `keras.layers.RandomBrightness(0.3)`, or its serialized config.
        value_range: Pair of numbers, values of black and white for the layer.
            Defaults to the `value_range` of the layer. Layers without one use
            (0, 255), or (0, 1) for `RandomJpegQuality` of KerasCV.
        margin: Int, see `Degradation`. Use 0 for layers that act on single pixels. A
            layer that acts on the whole image (equalization, a mask) acts on each
            crop as on a separate image.

    Example:

    >>> layer = keras.layers.RandomGaussianBlur(sigma=1.0, kernel_size=9)
    >>> blur = keras_indi.data.degradations.KerasLayerDegradation(layer, margin=4)
    >>> degraded = blur(image, seed=0)
    """

    margin: int = 0

    def __init__(
        self,
        layer: keras.layers.Layer,
        value_range: ValueLimits | None = None,
        margin: int = 0,
    ) -> None:
        if isinstance(layer, dict):
            layer = _deserialized(layer)
        if not isinstance(layer, keras.layers.Layer):
            raise ValueError(
                "`layer` must be a Keras or KerasCV layer, or its serialized "
                f"config. Received: layer={layer!r}"
            )
        self.layer = layer
        self.value_range = checked_value_range(value_range, optional=True)
        self.margin = checked_integer("margin", margin, least=0)
        self._lock = threading.Lock()

    def get_config(self) -> Config:
        serialized = keras.saving.serialize_keras_object(self.layer)
        return {**super().get_config(), "layer": serialized}

    def __reduce__(self):
        # Pass the config to worker processes, because layers and locks do not pickle.
        config = keras.saving.serialize_keras_object(self)
        return keras.saving.deserialize_keras_object, (config,)

    def apply(self, image: np.ndarray, generator: np.random.Generator) -> np.ndarray:
        value_range = self.value_range
        if value_range is None:
            known = LAYER_RANGES.get(type(self.layer).__name__, (0, 255))
            value_range = getattr(self.layer, "value_range", known)
        low, high = (np.float32(value) for value in value_range)
        seed = generator.integers(2**31, size=2)
        with self._lock:
            _reseed(self.layer, seed)
            degraded = self._called(image * (high - low) + low)
        if degraded.shape != image.shape:
            raise ValueError(
                "The layer must keep the shape of an image. Received: "
                f"layer={self.layer!r}, which made {degraded.shape} of {image.shape}"
            )
        return (degraded.astype("float32") - low) / (high - low)

    def _called(self, image):
        takes_training = "training" in inspect.signature(self.layer.call).parameters
        arguments = {"training": True} if takes_training else {}
        if _is_keras_cv(type(self.layer).__module__):
            # KerasCV accepts one image. With a batch, it would trace a graph each time.
            return np.asarray(self.layer(image, **arguments))
        batch = self.layer(image[None], **arguments)
        return keras.ops.convert_to_numpy(batch)[0]


def _is_keras_cv(module):
    return module.split(".")[0] == "keras_cv"


def _deserialized(config):
    if _is_keras_cv(config.get("module") or ""):
        # It needs TensorFlow on each backend.
        optional_import("keras_cv", "cv,tensorflow", "A degradation of a KerasCV layer")
    return keras.saving.deserialize_keras_object(config)


def _reseed(layer, seed):
    """Set all random generators that a layer uses."""
    owned = {id(variable) for variable in (*layer.weights, *layer.metrics_variables)}
    for variable in layer.variables:
        if id(variable) not in owned:  # the state of a `SeedGenerator`
            variable.assign(seed)
    layers = list(_with_sublayers(layer))
    if not any(_is_keras_cv(type(each).__module__) for each in layers):
        return
    values = [value for each in layers for value in vars(each).values()]
    reseed_tensorflow(int(seed[0]), int(seed[1]), values)


def _with_sublayers(layer):
    yield layer
    for value in vars(layer).values():
        for item in value if isinstance(value, (list, tuple)) else [value]:
            if isinstance(item, keras.layers.Layer):
                yield from _with_sublayers(item)
