"""SIDD: real noise of smartphone cameras."""

import itertools
import os
from collections.abc import Iterator
from typing import Any

import tensorflow_datasets as tfds
from etils import epath

from keras_indi.annotations import FilePath
from keras_indi.data.tfds.paired_images import PairedImages, SplitPairs, images_in
from keras_indi.optional_packages import optional_import

# Names of the files and of the MATLAB variables in them.
NOISY_BLOCKS = "ValidationNoisyBlocksSrgb"
CLEAN_BLOCKS = "ValidationGtBlocksSrgb"


class Builder(PairedImages):
    """Builder of SIDD-Medium sRGB, with the official validation blocks."""

    VERSION = tfds.core.Version("1.0.0")
    RELEASE_NOTES = {"1.0.0": "Initial release."}
    MANUAL_DOWNLOAD_INSTRUCTIONS = """
    From https://abdokamel.github.io/sidd/ download
    - SIDD-Medium, sRGB images only: SIDD_Medium_Srgb.zip; place it in `manual_dir`.
      Where it comes in parts (SIDD_Medium_Srgb_Parts.zip, .z01, ...), join and
      extract them yourself, and place the folder `SIDD_Medium_Srgb`, which holds
      `Data`, in `manual_dir`;
    - the validation data, sRGB: ValidationNoisyBlocksSrgb.mat and
      ValidationGtBlocksSrgb.mat; place both in `manual_dir`.
    """
    HOMEPAGE = "https://abdokamel.github.io/sidd/"
    ARCHIVE = "SIDD_Medium_Srgb.zip"
    FOLDERS = ("SIDD_Medium_Srgb", "", "SIDD_Medium_Srgb_Parts/SIDD_Medium_Srgb")
    MARKER = "Data/*/*_GT_SRGB_*"
    OFFICIAL_SIZES = {"train": 320}

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        train = [
            (
                f"{scene.name}/{clean.stem.replace('_GT_SRGB', '')}",
                scene / clean.name.replace("_GT_", "_NOISY_"),
                clean,
            )
            for scene in sorted((folder / "Data").iterdir())
            for clean in images_in(scene)
            if "_GT_" in clean.name
        ]
        blocks = [manual_dir / f"{name}.mat" for name in (NOISY_BLOCKS, CLEAN_BLOCKS)]
        self.check("validation", [("blocks", *blocks)])
        return {"train": train, "validation": validation_blocks(*blocks)}


def validation_blocks(
    noisy_path: FilePath, clean_path: FilePath
) -> Iterator[tuple[str, Any, Any]]:
    """Read the blocks of the official validation set.

    Args:
        noisy_path: Path of ValidationNoisyBlocksSrgb.mat.
        clean_path: Path of ValidationGtBlocksSrgb.mat.

    Yields:
        Tuples `(name, noisy, clean)` of a string `"<image>_<block>"` and two PIL
        images, of uint8 arrays of shape `(images, blocks, 256, 256, 3)`.
    """
    Image = optional_import("PIL.Image", extra="tfds", purpose="Reading SIDD")
    matlab = optional_import("scipy.io", extra="tfds", purpose="Reading SIDD")
    noisy = matlab.loadmat(os.fspath(noisy_path))[NOISY_BLOCKS]
    clean = matlab.loadmat(os.fspath(clean_path))[CLEAN_BLOCKS]
    if noisy.shape != clean.shape:
        raise ValueError(
            "The noisy and the clean blocks must be equally many, of one size. "
            f"Received: {noisy.shape} and {clean.shape}"
        )
    for image, block in itertools.product(*map(range, noisy.shape[:2])):
        yield (
            f"{image:02d}_{block:02d}",
            Image.fromarray(noisy[image, block]),
            Image.fromarray(clean[image, block]),
        )
