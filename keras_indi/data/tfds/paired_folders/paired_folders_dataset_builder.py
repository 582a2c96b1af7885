"""Pairs of one's own, from folders."""

import os

import numpy as np
import tensorflow_datasets as tfds

from keras_indi.data.tfds.paired_images import PairedImages, images_in

# What tfds decodes with TensorFlow, too.
SUFFIXES = (".png", ".jpg", ".jpeg")


class Builder(PairedImages):
    """Builder of any tree `<split>/degraded`, `<split>/clean`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="uint8", description="8 bits a channel."),
        tfds.core.BuilderConfig(name="uint16", description="16 bits a channel, PNG."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Make `manual_dir` the folder of your pairs. For each split it holds a folder,
    for example `train`, with the degraded images in `train/degraded` and the clean
    ones in `train/clean`: PNG or JPEG files, of like names on both sides.
    """
    MARKER = "*/degraded"

    @property
    def IMAGE_DTYPE(self):
        return np.dtype(self.builder_config.name).type

    def pairs(self, folder, manual_dir):
        # One data_dir holds one tree: `load_tfds` compares.
        self.info.metadata["manual_dir"] = os.path.abspath(manual_dir)
        return {
            split.name: self._pairs_of_split(split)
            for split in sorted(folder.iterdir())
            if (split / "degraded").exists()
        }

    def _pairs_of_split(self, split):
        degraded, clean = (
            self._by_name(split / side) for side in ("degraded", "clean")
        )
        unmatched = sorted(set(degraded) ^ set(clean))
        if unmatched:
            raise ValueError(
                f"Each image of split {split.name!r} must have a partner of the same "
                "name in `degraded` and in `clean`. "
                f"Received: {len(unmatched)} without, such as {unmatched[:3]}"
            )
        return [(name, degraded[name], clean[name]) for name in sorted(degraded)]

    def _by_name(self, folder):
        """Paths by their names in the folder, without the ending."""
        if not folder.exists():
            return {}
        paths = {}
        for path in images_in(folder, SUFFIXES):
            name = path.relative_to(folder).with_suffix("").as_posix()
            if name in paths:
                raise ValueError(
                    "Two images must not differ in their endings alone. "
                    f"Received: {paths[name].name!r} and {path.name!r} in {folder}"
                )
            paths[name] = path
        return paths
