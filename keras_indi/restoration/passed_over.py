"""What of the inputs' folders is not restored."""

import collections
import os
import pathlib
from collections.abc import Iterable

from keras_indi.images.image_files import count_others, image_files
from keras_indi.restoration.large_files import ZARR


def left_out(inputs: Iterable[str | pathlib.Path]) -> dict[str, int]:
    """How many files of the inputs' folders are not restored.

    Returns:
        Dict of the reason to the number: the ending of files that are not read, and
        `"linked to others"` of links to files that are restored under another name.
    """
    found: collections.Counter = collections.Counter()
    for text in inputs:
        path = pathlib.Path(text).expanduser()
        if path.is_dir() and path.suffix.lower() != ZARR:
            found.update(count_others(path))
            found.update(_links_to_others(image_files(path, True, {})))
    return dict(found.most_common())


def closed_folders(inputs: Iterable[str | pathlib.Path]) -> dict[pathlib.Path, str]:
    """The folders, in those of the inputs, that cannot be read, and why."""
    closed: dict[pathlib.Path, str] = {}
    for text in inputs:
        path = pathlib.Path(text).expanduser()
        if path.is_dir() and path.suffix.lower() != ZARR:
            image_files(path, True, closed)
    return closed


def _links_to_others(files):
    """`"linked to others"` for each link to another of the files."""
    links = [file for file in files if os.path.islink(file)]
    if links:
        seen = {os.path.realpath(file) for file in {*files} - {*links}}
        for link in links:
            real = os.path.realpath(link)
            if real in seen:
                yield "linked to others"
            seen.add(real)
