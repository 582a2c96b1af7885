"""What a model needs to be saved as a preset, and loaded from one."""

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
            of their `metadata.json`. Of the class, not of its instances.

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
            preset: The name of a shipped preset (a key of `presets`), where
                `indi_small_` may be left out, such as `"jpeg"`; the path of a local
                folder; `"hf://user/name"`, with `@revision` if wanted;
                `"kaggle://user/model/keras/variant"`; or `"gs://bucket/folder"`.
            load_weights: Bool, whether to load the weights; `False` makes a network
                with random ones, to train an architecture. Defaults to `True`.
            dtype: The compute dtype or policy of the network, such as
                `"mixed_bfloat16"`. Defaults to Keras's global policy.
            **overrides: Arguments of the class, in place of the preset's: of `InDI`,
                `noise_schedule` and so on, and those of its backbone.

        Returns:
            An instance of the class, or of its subclass that was saved.
            `PresetModel.from_preset` returns the restorer, or the backbone where the
            preset holds no restorer.

        Raises:
            ValueError: If it is no preset; of another class; names what may not be
                built; has no weights, or not those of its network, or damaged ones.
            TypeError: If an override is no argument of the class.
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
        """Save the model as a preset: its weights as they are, without an optimizer.

        After `fit` the weights are the averaged ones that it ended with. The
        compute dtype and the seed are not saved: they are chosen on loading.

        Args:
            preset_dir: Path of the folder. A preset that is there is replaced, but
                for a model card that was written or edited by hand.
            metadata: Dict of what only the maker knows, into `metadata.json` and the
                card: `description`, `task`, `license`, `training_data` (a list of
                dicts with `name` and `terms`), `degradation`, `training`,
                `held_out_scores` (a dict of `protocol` and `scores`), `notes`.
            weights_dtype: `"float16"` halves the file. Loaded, the weights are of
                the network's own dtype. Defaults to `"float32"`.
            save_weights: Bool, `False` saves only the architecture.

        Returns:
            `pathlib.Path` of the folder.

        Raises:
            ValueError: If an argument is not valid, the backbone is no built
                `keras.Model` or holds code, or a weight is not finite.

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
        """The config that a model of today has, of one that any version has saved.

        Args:
            config: Dict, as of `get_config`.

        Returns:
            Dict of the same model. `from_config` takes both.
        """
        return config

    @staticmethod
    def upload_preset(uri: str, preset_dir: FilePath) -> None:
        """Upload a saved preset; see `keras_indi.presets.upload_preset`."""
        hub.upload_preset(uri, preset_dir)
