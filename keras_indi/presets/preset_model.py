"""Base class of models that support presets."""

import pathlib
from typing import Any, Self

from keras_indi.annotations import FilePath
from keras_indi.presets import building, handles, hub, io


class _Presets:
    """The attribute `presets` of a class: its shipped presets."""

    def __get__(self, instance: object, owner: type) -> dict[str, dict[str, Any]]:
        if instance is not None:
            # Keras reads all attributes of a model that it saves or loads.
            raise AttributeError("`presets` is an attribute of the class")
        return {
            name: metadata
            for name, metadata in handles.list_presets().items()
            if building.part_and_class(owner, io.read(name)) is not None
        }


class PresetModel:
    """Base class of models that are saved as presets and loaded from them.

    A preset is a folder with the files of KerasHub's: `config.json`, the backbone;
    `task.json`, the restorer around it; `model.weights.h5`, the backbone's weights,
    the same file on every backend; `metadata.json`; and a model card, `README.md`.

    Attributes:
        presets: Dict of the names of the shipped presets of this class to the dicts
            of their `metadata.json`. Only on the class, not on its instances.

    Example:

    >>> model = keras_indi.InDI.from_preset("denoise")  # from_preset is of this class
    """

    presets = _Presets()

    @classmethod
    def from_preset(
        cls,
        preset: FilePath,
        load_weights: bool = True,
        dtype: Any = None,
        **overrides: Any,
    ) -> Self:
        """Load a model from a preset. No code from the preset runs.

        Args:
            preset: The name of a shipped preset (a key of `presets`), with or without
                `indi_small_`, such as `"jpeg"`; the path of a local folder;
                `"hf://user/name"`, optionally with `@revision`;
                `"kaggle://user/model/keras/variant"`; or `"gs://bucket/folder"`.
            load_weights: Bool, whether to load the weights. `False` builds a network
                with random weights, for training. Defaults to `True`.
            dtype: The compute dtype or policy of the network, such as
                `"mixed_bfloat16"`. Defaults to Keras's global policy.
            **overrides: Arguments of the class that replace those of the preset: for
                `InDI`, `noise_schedule` and so on, and arguments of its backbone.

        Returns:
            An instance of the class, or of the saved subclass.
            `PresetModel.from_preset` returns the restorer, or the backbone where the
            preset holds no restorer.

        Raises:
            ValueError: If it is not a preset, is of another class, or names a class
                that is not allowed; or if its weights are missing, damaged or do not
                match the network.
            TypeError: If an override is not an argument of the class.
            ImportError: If the hub's client is not installed.
            OSError: If the hub cannot be reached.

        Example:

        ```python
        model = keras_indi.models.InDI.from_preset("jpeg")
        restored = model.restore(photograph)  # with the recommended settings

        unet = keras_indi.models.UNetBackbone.from_preset("indi_small_jpeg")
        wide = keras_indi.models.InDI.from_preset(
            "indi_motion_deblur", load_weights=False, base_channels=96
        )
        ```
        """
        return building.load(cls, io.read(preset), load_weights, dtype, overrides)

    def save_to_preset(
        self,
        preset_dir: FilePath,
        metadata: dict[str, Any] | None = None,
        weights_dtype: str = "float32",
        save_weights: bool = True,
    ) -> pathlib.Path:
        """Save the model as a preset, without an optimizer.

        After `fit`, these are the averaged weights. The compute dtype and the seed are
        not saved: they are chosen on loading.

        Args:
            preset_dir: Path of the folder. An existing preset is replaced, except for a
                model card that was written or edited by hand.
            metadata: Dict for `metadata.json` and the card, with any of `description`,
                `task`, `license`, `training_data` (a list of dicts with `name` and
                `terms`), `degradation`, `training`, `held_out_scores` (a dict of
                `protocol` and `scores`) and `notes`.
            weights_dtype: `"float16"` halves the file size. Loaded weights have the
                network's own dtype. Defaults to `"float32"`.
            save_weights: Bool, `False` saves only the architecture.

        Returns:
            `pathlib.Path` of the folder.

        Raises:
            ValueError: If an argument is not valid, the backbone is not a built
                `keras.Model` or contains code, or a weight is not finite.

        Example:

        ```python
        model.save_to_preset("my_preset", {"task": "denoising"}, "float16")
        model = keras_indi.models.InDI.from_preset("my_preset")
        ```
        """
        backbone = getattr(self, "backbone", self)
        task = None if backbone is self else self
        return io.write(
            preset_dir, backbone, task, metadata, weights_dtype, save_weights
        )

    @classmethod
    def updated_config(cls, config: dict[str, Any]) -> dict[str, Any]:
        """Convert a config saved by any version to the current form.

        Args:
            config: Dict, as from `get_config`.

        Returns:
            Dict of the same model. `from_config` supports both.
        """
        return config

    @staticmethod
    def upload_preset(uri: str, preset_dir: FilePath) -> None:
        """Upload a saved preset; see `keras_indi.presets.upload_preset`."""
        hub.upload_preset(uri, preset_dir)
