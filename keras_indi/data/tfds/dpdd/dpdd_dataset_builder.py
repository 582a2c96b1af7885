"""DPDD defocus deblurring: wide and narrow apertures of the same scene."""

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

from keras_indi.data.tfds.paired_images import PairedImages, SplitPairs, images_in


class Builder(PairedImages):
    """Builder of the single-image (combined view) part of the Canon DPDD set."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Download dd_dp_dataset_canon.zip ("All images used for training/testing") from
    https://github.com/Abdullah-Abuolaim/defocus-deblurring-dual-pixel and place it
    in `manual_dir`. Or place the folders `train_c`, `val_c` and `test_c` from it in
    `manual_dir/dd_dp_dataset_canon`.
    """
    HOMEPAGE = "https://github.com/Abdullah-Abuolaim/defocus-deblurring-dual-pixel"
    ARCHIVE = "dd_dp_dataset_canon.zip"
    FOLDERS = (
        "dd_dp_dataset_canon",
        "dd_dp_dataset_canon/dd_dp_dataset_png",
        "dd_dp_dataset_png",
        "dd_dp_dataset_canon/dd_dp_dataset_canon",
        "",
    )
    MARKER = "train_c/source"
    OFFICIAL_SIZES = {"train": 350, "validation": 74, "test": 76}
    IMAGE_DTYPE = np.uint16

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        return {
            split: self._pairs_of_split(folder / f"{short}_c")
            for split, short in (
                ("train", "train"),
                ("validation", "val"),
                ("test", "test"),
            )
        }

    def _pairs_of_split(self, folder):
        # The two exposures have different numbers: pair by rank, as the official code.
        degraded = images_in(folder / "source")
        clean = images_in(folder / "target")
        if len(degraded) != len(clean):
            raise ValueError(
                f"`source` and `target` of {folder.name!r} must hold equally many "
                f"images. Received: {len(degraded)} and {len(clean)}"
            )
        return [(x.stem, x, y) for x, y in zip(degraded, clean)]
