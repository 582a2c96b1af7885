"""Base class of models around a backbone: attributes, building, checks and saving."""

from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from keras_indi.annotations import ValueLimits
from keras_indi.backend import keras_private
from keras_indi.backend.forks import check_not_forked
from keras_indi.backend.replicas import ReplicaSeedGenerator, scope_of, state_bits
from keras_indi.backend.supported import check_supported
from keras_indi.models import checks
from keras_indi.models.averaging_optimizer import warm_up_averages
from keras_indi.presets import PresetModel
from keras_indi.validation import checked_integer
from keras_indi.value_range import ValueRange


class BackboneModel(PresetModel, keras.Model):
    """Base class of models around a backbone, for images of a value range.

    Args:
        backbone: Keras model or layer, called with a dict of `"images"`, `"times"` and,
            if it is conditioned on it, `"degraded"`. It can be replaced later. A
            compiled model then trains the new one with a new optimizer state.
        value_range: Pair of numbers, or `None`.
        seed: Int, or `None`.
        size_multiple: Int, or `None` for that of the backbone.
        receptive_field: Int, or `None` for that of the backbone.
        **kwargs: `name` and so on of `keras.Model`.
    """

    def __init__(
        self,
        backbone: keras.layers.Layer,
        value_range: Sequence[float] | None,
        seed: int | None,
        size_multiple: int | None = None,
        receptive_field: int | None = None,
        **kwargs: Any,
    ) -> None:
        checks.checked_backbone(backbone)
        check_supported()
        check_not_forked()
        # The images stay float32 here; the backbone casts its inputs.
        super().__init__(dtype=backbone.dtype_policy, autocast=False, **kwargs)
        self.backbone = backbone
        self.value_range = value_range
        self.size_multiple = size_multiple
        self.receptive_field = receptive_field
        self.seed = seed
        # With the weights of the backbone, nothing is left to build.
        self.built = backbone.built

    # === Attributes ===

    seed_generator: ReplicaSeedGenerator

    @property
    def value_range(self) -> ValueLimits | None:
        """Pair of floats, the images' smallest and largest value, or `None`."""
        return self._value_range.limits

    @value_range.setter
    def value_range(self, value_range: Sequence[float] | None) -> None:
        self._value_range = ValueRange(value_range)
        self.forget_compiled()

    @property
    def size_multiple(self) -> int:
        """Int: height and width of the network's input must be multiples of this."""
        return self._size_multiple or getattr(self.backbone, "size_multiple", 1)

    @size_multiple.setter
    def size_multiple(self, size_multiple: int | None) -> None:
        name = "size_multiple"
        self._size_multiple = checked_integer(name, size_multiple, optional=True)
        self.forget_compiled()

    @property
    def receptive_field(self) -> int | None:
        """Int: side of the window that an output depends on; `None` if not known."""
        own = getattr(self.backbone, "receptive_field", None)
        return self._receptive_field or own

    @receptive_field.setter
    def receptive_field(self, receptive_field: int | None) -> None:
        name = "receptive_field"
        self._receptive_field = checked_integer(name, receptive_field, optional=True)
        self.forget_compiled()

    @property
    def seed(self) -> int | None:
        """Int, with which all draws begin anew when it is set; `None` for a new one."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._seed = checked_integer("seed", seed, least=0, optional=True)
        generator = ReplicaSeedGenerator(self._seed)
        if hasattr(self, "seed_generator"):
            self.seed_generator.state.assign(generator.state)
        else:
            self.seed_generator = generator
        self._restore_seeds = np.random.default_rng(self._seed)
        self.forget_compiled()

    def __setattr__(self, name: str, value: Any) -> None:
        if isinstance(getattr(type(self), name, None), property):
            # Straight to the setter: on TensorFlow, Keras skips it for the very
            # object that is set already, which may have changed inside.
            return object.__setattr__(self, name, value)
        if name != "backbone":
            return super().__setattr__(name, value)
        # No property: Keras tracks a layer, files its weights and, on PyTorch,
        # registers it, under the attribute that it is set as.
        checks.checked_backbone(value)
        if hasattr(self, "backbone"):
            keras_private.forget_layer(self, self.backbone)
            self.size_multiple = self.receptive_field = None  # those of the old one
        super().__setattr__(name, value)
        optimizer = getattr(self, "optimizer", None)
        if optimizer is not None and optimizer.built:
            # Its state belongs to the variables of the old backbone.
            self.optimizer = type(optimizer).from_config(optimizer.get_config())
            warm_up_averages(self.optimizer)  # of optimizers inside it
        self.forget_compiled()

    def forget_compiled(self) -> None:
        """Discard compiled functions, which have captured replaced attributes.

        Setters of attributes that training, evaluation or restoration reads call this.
        """
        self.train_function = self.test_function = self.predict_function = None

    @property
    def condition_on_degraded(self) -> bool:
        """Bool: whether the degraded image is a further input of the backbone."""
        declared = getattr(self.backbone, "condition_on_degraded", None)
        if declared is None:
            inputs = getattr(self.backbone, "input", None)
            return isinstance(inputs, dict) and "degraded" in inputs
        return bool(declared)

    @property
    def image_channels(self) -> int | None:
        """Int, number of image channels; `None` if the backbone has none."""
        declared = getattr(self.backbone, "image_channels", None)
        if declared is not None:
            return declared
        try:  # of a functional network, whose input has channels
            return self.backbone.input["images"].shape[-1]
        except (AttributeError, KeyError, TypeError, ValueError):
            return None

    def build(self, input_shape: Any) -> None:
        if not self.backbone.built:
            shape = input_shape
            if isinstance(input_shape, dict):
                shape = input_shape["images"]
            self._build_backbone(shape)
        self.built = True

    def _build_backbone(self, shape: Sequence[int | None]) -> None:
        """Create the variables of the backbone by a symbolic call."""
        images = keras.KerasTensor(shape, dtype="float32")
        inputs = {
            "images": images,
            "times": keras.KerasTensor(shape[:1], dtype="float32"),
            "degraded": images,
        }
        if not self.condition_on_degraded:
            del inputs["degraded"]
        with scope_of(self):
            self.backbone(inputs)

    def compute_output_shape(self, input_shape: Any) -> tuple:
        if isinstance(input_shape, dict):
            input_shape = input_shape["images"]
        return tuple(input_shape)

    def check_channels(self, shape: Sequence[int | None], name: str = "images") -> None:
        """Raise a ValueError unless a shape has the right number of channels."""
        channels = self.image_channels
        allowed = len(shape) == 4 and (
            channels is None or shape[-1] in (None, channels)
        )
        if not allowed:
            raise ValueError(
                f"`{name}` must have shape (batch, height, width, "
                f"{channels or 'channels'}). Received: {name} of shape "
                f"{tuple(shape)}"
            )

    def check_shape(self, shape: Sequence[int | None], name: str = "images") -> None:
        """Raise a ValueError unless the network supports images of this shape."""
        self.check_channels(shape, name)
        multiple = self.size_multiple
        if any(size is not None and size % multiple for size in shape[1:3]):
            raise ValueError(
                f"Heights and widths of the backbone's inputs must be multiples of "
                f"{multiple}; `restore` pads images of other sizes. "
                f"Received: {name} of shape {tuple(shape)}"
            )

    # === Saving ===

    def get_config(self) -> dict[str, Any]:
        backbone = keras.saving.serialize_keras_object(self.backbone)
        sizes = {
            "size_multiple": self._size_multiple,
            "receptive_field": self._receptive_field,
        }
        if "layers" in backbone["config"]:
            # A graph of layers saves no attributes of its own.
            for name, given in sizes.items():
                sizes[name] = given or getattr(self.backbone, name, None)
        return {
            "backbone": backbone,
            "value_range": self.value_range,
            "seed": self.seed,
            **sizes,
            "name": self.name,
            "trainable": self.trainable,
        }

    @classmethod
    def from_config(
        cls, config: dict[str, Any], custom_objects: dict | None = None
    ) -> "BackboneModel":
        config = dict(config)
        config["backbone"] = keras.saving.deserialize_keras_object(
            config["backbone"], custom_objects=custom_objects
        )
        return cls(**config)

    def save_own_variables(self, store: Any) -> None:
        # Keras saves no seed generators; exact resumption needs this one.
        super().save_own_variables(store)
        store["seed_generator_state"] = ops.convert_to_numpy(self.seed_generator.state)

    def load_own_variables(self, store: Any) -> None:
        names = list(store.keys())
        if "seed_generator_state" in names:
            saved = store["seed_generator_state"][...]
            self.seed_generator.state.assign(state_bits(saved))
            names.remove("seed_generator_state")
        super().load_own_variables({name: store[name] for name in names})
