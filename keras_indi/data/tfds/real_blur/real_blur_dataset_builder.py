"""RealBlur: real camera shake, recorded with two cameras behind one lens."""

import tensorflow_datasets as tfds
from etils import epath

from keras_indi.data.tfds.paired_images import PairedImages, SplitPairs


class Builder(PairedImages):
    """Builder of RealBlur. Its configs are the processing of the photographs."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    BUILDER_CONFIGS = [
        tfds.core.BuilderConfig(name="j", description="The camera's JPEG images."),
        tfds.core.BuilderConfig(
            name="r", description="Developed from RAW, denoised by BM3D."
        ),
    ]
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    Download RealBlur.tar.gz from https://github.com/rimchang/RealBlur and place it
    in `manual_dir`. Or place what it holds, the two folders of images and the four
    lists such as RealBlur_J_train_list.txt, in `manual_dir/RealBlur`.
    """
    HOMEPAGE = "https://github.com/rimchang/RealBlur"
    ARCHIVE = "RealBlur.tar.gz"
    FOLDERS = ("RealBlur", "", "RealBlur/RealBlur")
    MARKER = "RealBlur_[JR]_train_list.txt"
    OFFICIAL_SIZES = {"train": 3758, "test": 980}

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        kind = self.builder_config.name.upper()
        return {
            split: self._pairs_of_list(folder, f"RealBlur_{kind}_{split}_list.txt")
            for split in ("train", "test")
        }

    def _pairs_of_list(self, folder, name):
        # A line: .../scene001/gt/gt_1.png .../scene001/blur/blur_1.png
        lines = [line.split() for line in (folder / name).read_text().splitlines()]
        pairs = [(folder / line[0], folder / line[1]) for line in lines if line]
        return [
            (
                f"{clean.parent.parent.name}/{degraded.stem.removeprefix('blur_')}",
                degraded,
                clean,
            )
            for clean, degraded in pairs
        ]
