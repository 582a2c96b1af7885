"""Your own image pairs, from folders."""

import os

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from keras_indi.data.tfds.paired_images import PairedImages, SplitPairs
from keras_indi.images.image_files import match_folders


class Builder(PairedImages):
    """Builder of folders `<split>/degraded` and `<split>/clean`."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="uint8", description="8 bits a channel."),
        tfds.core.BuilderConfig(name="uint16", description="16 bits a channel, PNG."),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Make `manual_dir` the folder of your pairs. For each split it holds a folder,
    for example `train`, with the degraded images in `train/degraded` and the clean
    ones in `train/clean`, of like names on both sides: PNG or JPEG files (WebP
    and TIFF, too, if `keras_indi.data.load_tfds` alone is to read them).
    """
    MARKER = "*/degraded"

    @property
    def IMAGE_DTYPE(self) -> type[np.generic]:  # type: ignore[override]
        return np.dtype(self.builder_config.name).type

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        # A data_dir contains the data of one manual_dir, which `load_tfds` checks.
        self.info.metadata["manual_dir"] = os.path.abspath(manual_dir)
        return {
            split.name: self._pairs_of_split(split)
            for split in sorted(folder.iterdir())
            if (split / "degraded").exists()
        }

    def _pairs_of_split(self, split):
        match = match_folders(split / "degraded", split / "clean")
        if match.report():
            raise ValueError(
                "Each image must have a partner of the same name in `degraded` and in "
                f"`clean`. Received: split {split.name!r}, {match.report()}"
            )
        return [(name, *paths) for name, paths in match.pairs.items()]
