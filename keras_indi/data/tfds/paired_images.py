"""Base class of the builders of (degraded, clean) pairs."""

import inspect
import os
import warnings
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from etils import epath

# For each split, tuples `(name, degraded, clean)`: a name, and two paths or PIL images.
SplitPairs = dict[str, Iterable[tuple[str, Any, Any]]]


class PairedImages(
    tfds.core.GeneratorBasedBuilder,
    skip_registration=True,  # type: ignore[call-arg]  # tfds has no types
):
    """Base class of builders of image pairs from files that the user provides.

    A subclass sets the class attributes below and implements `pairs`. Examples keep the
    order of that list, so index i of a prepared split is pair i of the files.

    Attributes:
        HOMEPAGE: String, URL of the official files.
        ARCHIVE: Name of an archive to extract if no folder contains the files, or
            `None`.
        FOLDERS: Names of folders in `manual_dir` or in the extracted archive that may
            contain the files. `""` is the folder itself.
        MARKER: Glob pattern that matches inside the folder with the files.
        OFFICIAL_SIZES: Dict of split names to expected numbers of pairs. Other
            numbers cause a warning.
        IMAGE_DTYPE: `np.uint8` or `np.uint16`, dtype of the files.
    """

    HOMEPAGE = ""
    ARCHIVE: str | None = None
    FOLDERS: tuple[str, ...] = ("",)
    MARKER = "*"
    OFFICIAL_SIZES: dict[str, int] = {}
    IMAGE_DTYPE: type[np.generic] = np.uint8

    def pairs(self, folder: epath.Path, manual_dir: epath.Path) -> SplitPairs:
        """List the pairs of each official split.

        Args:
            folder: `epath.Path` of the folder with the files.
            manual_dir: `epath.Path` of the folder that the user provides.

        Returns:
            Dict of split names to iterables of `(name, degraded, clean)`: a
            name that is unique in the split, and two paths or PIL images.
        """
        raise NotImplementedError

    def _info(self):
        def image():
            return tfds.features.Image(shape=(None, None, 3), dtype=self.IMAGE_DTYPE)

        return self.dataset_info_from_configs(
            features=tfds.features.FeaturesDict(
                {
                    "degraded": image(),
                    "clean": image(),
                    "name": tfds.features.Text(),
                }
            ),
            supervised_keys=("degraded", "clean"),
            homepage=self.HOMEPAGE,
            disable_shuffling=True,
            metadata=tfds.core.MetadataDict(),
        )

    def _split_generators(self, dl_manager):
        splits = self.pairs(self._folder(dl_manager), dl_manager.manual_dir)
        for split, pairs in splits.items():
            if isinstance(pairs, list):
                self.check(split, pairs)
                official = self.OFFICIAL_SIZES.get(split, len(pairs))
                if len(pairs) != official:
                    warnings.warn(
                        f"Split {split!r} of `{self.name}` has {len(pairs)} pairs, "
                        f"officially {official}: it may be incomplete.",
                        stacklevel=2,
                    )
        return {
            split: self._generate_examples(pairs) for split, pairs in splits.items()
        }

    def _generate_examples(self, pairs):
        for name, degraded, clean in pairs:
            yield name, {"degraded": degraded, "clean": clean, "name": name}

    def _folder(self, dl_manager):
        """Return the folder with the files, extracted from the archive if needed."""
        root = dl_manager.manual_dir
        found = self._find(root)
        if found is None and self.ARCHIVE and (root / self.ARCHIVE).exists():
            found = self._find(epath.Path(dl_manager.extract(root / self.ARCHIVE)))
        if found is None:
            raise FileNotFoundError(
                f"The files of `{self.name}` were not found: nothing matches "
                f"{self.MARKER!r} in any of the folders {self.FOLDERS}. "
                f"{inspect.cleandoc(self.MANUAL_DOWNLOAD_INSTRUCTIONS)}\n"
                f"Received: manual_dir={os.fspath(root)}"
            )
        return found

    def _find(self, root):
        for name in self.FOLDERS:
            folder = root / name if name else root
            if folder.exists() and any(folder.glob(self.MARKER)):
                return folder
        return None

    def check(self, split: str, pairs: Sequence[tuple[str, Any, Any]]) -> None:
        """Check that all files of a split exist, before anything is written.

        Args:
            split: String, name of the split.
            pairs: List of tuples `(name, path, path)`.

        Raises:
            FileNotFoundError: If there are no pairs, or a file is missing.
        """
        missing = [
            os.fspath(path)
            for _, *paths in pairs
            for path in paths
            if not epath.Path(path).exists()
        ]
        if missing or not pairs:
            raise FileNotFoundError(
                f"Split {split!r} of `{self.name}` is incomplete: "
                f"{len(pairs)} pairs, {len(missing)} files missing. Place the whole "
                f"of {self.HOMEPAGE or 'the data set'}. Received: missing={missing[:3]}"
            )


def images_in(folder: epath.Path) -> list[epath.Path]:
    """List the PNG images of a folder.

    Args:
        folder: `epath.Path`.

    Returns:
        List of paths, sorted by name.
    """
    return sorted(path for path in folder.iterdir() if path.suffix.lower() == ".png")
