"""GoPro motion deblurring: averaged frames of a high-speed camera."""

import tensorflow_datasets as tfds
from etils import epath

from keras_indi.data.tfds.paired_images import PairedImages, SplitPairs, images_in


class Builder(PairedImages):
    """Builder of GOPRO_Large. Its configs are the folders of blurred images."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(
            name="blur",
            description=(
                "Frames averaged as they are stored: the set of MPRNet, Restormer "
                "and most published figures."
            ),
        ),
        tfds.core.BuilderConfig(
            name="blur_gamma",
            description=(
                "Frames averaged in linear light (gamma 2.2): the set of the "
                "data set's own paper."
            ),
        ),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Download GOPRO_Large.zip from https://seungjunnah.github.io/Datasets/gopro
    and place it in `manual_dir`. Or place its two folders, `train` and `test`, in
    `manual_dir/GOPRO_Large`.
    """
    HOMEPAGE = "https://seungjunnah.github.io/Datasets/gopro"
    ARCHIVE = "GOPRO_Large.zip"
    FOLDERS = ("GOPRO_Large", "", "GOPRO_Large/GOPRO_Large")
    MARKER = "train/*/sharp"
    OFFICIAL_SIZES = {"train": 2103, "test": 1111}

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        blurred = self.builder_config.name
        return {
            split: [
                (
                    f"{sequence.name}/{sharp.stem}",
                    sequence / blurred / sharp.name,
                    sharp,
                )
                for sequence in sorted((folder / split).iterdir())
                if (sequence / "sharp").exists()
                for sharp in images_in(sequence / "sharp")
            ]
            for split in ("train", "test")
        }
