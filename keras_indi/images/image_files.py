"""Folders of images: finding, pairing and reading their files."""

import hashlib
import os
import pathlib
import re
import typing
import unicodedata
import warnings
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images import decoding
from keras_indi.images.formats import EXTENSIONS
from keras_indi.images.image_cache import ImageCache

CACHE_BYTES = 2**30
ENDING = re.compile(r"\.(?=.*[a-z])[a-z0-9_+~-]{1,8}")
# Control characters, line separators, and characters that change text direction.
NOT_SHOWN = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")
ZARR = ".zarr"  # extension of a folder that is one image


class Match(typing.NamedTuple):
    """The images of two folders, matched by name.

    Attributes:
        pairs: Dict of name to `(degraded path, clean path)`.
        only_degraded: Dict of name to path, degraded images without a clean partner.
        only_clean: Dict of name to path, clean images without a degraded partner.
    """

    pairs: dict[str, tuple[pathlib.Path, pathlib.Path]]
    only_degraded: dict[str, pathlib.Path]
    only_clean: dict[str, pathlib.Path]

    def report(self) -> str:
        """Return a sentence that lists images without a partner, or an empty string."""
        parts = [
            f"{len(paths)} {side} without a partner ({listed(sorted(paths))})"
            for side, paths in (
                ("degraded", self.only_degraded),
                ("clean", self.only_clean),
            )
            if paths
        ]
        return f"{len(self.pairs)} pairs; " + ", ".join(parts) if parts else ""


def listed(names: Iterable[Any], limit: int = 10) -> str:
    """Return the first names of a list and the number of remaining ones."""
    names = [shown(str(name)) for name in names]
    more = len(names) - limit
    return ", ".join(names[:limit]) + (f" and {more} more" if more > 0 else "")


def find_images(folder: FilePath) -> dict[str, pathlib.Path]:
    """Find all image files in a folder and below.

    Hidden files and folders are ignored, including those that an interrupted
    preparation leaves behind. Links to folders are followed once.

    Args:
        folder: Path of the folder.

    Returns:
        Dict of name to path, sorted by name. The name is the path relative to the
        folder, with forward slashes and without the extension. Names are in Unicode
        normalization form NFC, because accents can be encoded in two ways.

    Raises:
        ValueError: If the path is not a folder, or two files have the same name.
    """
    found: dict[str, pathlib.Path] = {}
    for path in image_files(folder):
        name = printable(path.relative_to(folder).with_suffix("").as_posix())
        name = unicodedata.normalize("NFC", name)
        if name in found:
            raise ValueError(
                "Two images have the same name but for the extension; remove or "
                f"rename one. Received: {str(found[name])!r} and {str(path)!r}"
            )
        found[name] = path
    return dict(sorted(found.items()))


def image_files(folder: FilePath) -> list[pathlib.Path]:
    """Return the paths of all image files in a folder and below.

    Args:
        folder: Path of the folder.

    Returns:
        Sorted list of paths, without those that `find_images` ignores.

    Raises:
        ValueError: If it is not a folder.
    """
    return sorted(path for path in files_below(folder) if other_kind(path) is None)


def other_kind(path: pathlib.PurePath, zarr: bool = False) -> str | None:
    """Return the category under which an unsupported file is counted.

    Args:
        path: Its path.
        zarr: Bool, whether Zarr folders are read. Defaults to `False`.

    Returns:
        The extension in lower case, or a description if it is missing or unusual.
        `None` if the name is that of an image.
    """
    ending = path.suffix.lower()
    if ending in EXTENSIONS or (zarr and ending == ZARR):
        return None
    if not ending:
        return "without an extension"
    # Numbers are not extensions: every frame and version would be a category.
    return ending if ENDING.fullmatch(ending) else "with an unusual extension"


def printable(name: FilePath) -> str:
    """Return a file name as printable text, even if it is not UTF-8."""
    return os.fsencode(name).decode("utf-8", "replace")


def shown(name: FilePath) -> str:
    """Return a file name for the terminal, with control characters escaped."""
    return NOT_SHOWN.sub(lambda found: ascii(found[0])[1:-1], printable(name))


def files_below(
    folder: FilePath, zarr: bool = False, closed: dict | None = None
) -> Iterator[pathlib.Path]:
    """Find all files in a folder and below, including unreadable ones.

    Args:
        folder: Path of the folder.
        zarr: Bool, whether Zarr folders count as files. Defaults to `False`, which
            ignores them.
        closed: Dict to which unreadable folders are added, with the reason. By
            default, a warning is issued for each of them.

    Yields:
        Paths, in no particular order, without those that `find_images` ignores.

    Raises:
        ValueError: If it is not a folder.
    """

    def note(error):
        if closed is None:
            warnings.warn(f"A folder cannot be read: {error}", stacklevel=2)
        else:
            reason = f"unreadable folder ({error.strerror})"
            closed[pathlib.Path(os.fsdecode(error.filename))] = reason

    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f"Folder not found. Received: {str(folder)!r}")
    seen, links = set(), [folder]
    # Links come last, so that a folder inside the tree keeps its own path.
    while links:
        for here, folders, files in os.walk(links.pop(0), onerror=note):
            real = os.path.realpath(here)
            if real in seen:  # a link that leads back
                folders.clear()
                continue
            seen.add(real)
            shown = sorted(name for name in folders if not name.startswith("."))
            folders[:] = [name for name in shown if not name.lower().endswith(ZARR)]
            if zarr:
                files += [name for name in shown if name not in folders]
            paths = [pathlib.Path(here, name) for name in folders]
            links += [path for path in paths if path.is_symlink()]
            for name in files:
                if not name.startswith("."):
                    yield pathlib.Path(here, name)


def match_folders(degraded_dir: FilePath, clean_dir: FilePath) -> Match:
    """Match the images of two folders by name, ignoring extensions.

    Args:
        degraded_dir: Path of the degraded images' folder.
        clean_dir: Path of the clean images' folder.

    Returns:
        A `Match`.

    Raises:
        ValueError: As for `find_images`.
    """
    degraded, clean = find_images(degraded_dir), find_images(clean_dir)
    return Match(
        {name: (degraded[name], clean[name]) for name in degraded if name in clean},
        {name: path for name, path in degraded.items() if name not in clean},
        {name: path for name, path in clean.items() if name not in degraded},
    )


class ImageFiles:
    """Random access to the images, or image pairs, of files.

    Element i is the array of file i, or a tuple of arrays if the files are paired.
    Decoded images stay in memory while they fit in the cache.

    Args:
        files: Dict of name to path, or to tuple of paths.
        image_channels: 1 or 3.
        max_pixels: As for `read_image`.
        cache_bytes: Int, memory for decoded images.

    Example:

    >>> files = keras_indi.data.ImageFiles(keras_indi.data.find_images("clean"))
    >>> len(files)
    2
    """

    def __init__(
        self,
        files: Mapping[str, Any],
        image_channels: int = 3,
        max_pixels: int | None = None,
        cache_bytes: int = CACHE_BYTES,
    ) -> None:
        self._names = list(files)
        self._paths = list(files.values())
        self._image_channels = image_channels
        self._max_pixels = max_pixels
        self._cache = ImageCache(cache_bytes)

    def __len__(self) -> int:
        return len(self._paths)

    def __getitem__(self, index: int) -> np.ndarray | tuple[np.ndarray, ...]:
        """Read element `index`.

        Raises:
            UnusableImageError: If a file cannot be used.
        """
        paths = self._paths[index]
        if isinstance(paths, tuple):
            return tuple(self._read(path) for path in paths)
        return self._read(paths)

    def name(self, index: int) -> str:
        """Return the name of element `index`, for messages."""
        return self._names[index]

    def fingerprint(self) -> str:
        """Return a hash of the names and sizes of these files."""
        digest = hashlib.sha256()
        for name, paths in zip(self._names, self._paths):
            paths = paths if isinstance(paths, tuple) else (paths,)
            sizes = [_size(path) for path in paths]
            digest.update(f"{name}\0{sizes}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _read(self, path):
        return self._cache.get(
            path,
            lambda: decoding.read_image(path, self._image_channels, self._max_pixels),
        )


def _size(path):
    """Return the size of a file in bytes, or `None` if it does not exist."""
    try:
        return os.stat(path).st_size
    except OSError:  # reading the file will raise with the reason
        return None
