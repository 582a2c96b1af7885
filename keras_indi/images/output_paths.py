"""Check that outputs can be written before work starts."""

import os
import pathlib


def is_too_long(path: pathlib.Path) -> bool:
    """Return whether a path component that does not exist yet has too long a name."""
    folder = path.absolute()
    new = []
    while not os.path.exists(folder) and folder != folder.parent:
        new.append(folder.name)
        folder = folder.parent
    if not hasattr(os, "pathconf"):  # Windows counts characters
        return any(len(name) > 255 for name in new)
    longest = os.pathconf(folder, "PC_NAME_MAX")
    return any(len(os.fsencode(name)) > longest for name in new)


def check_writable(path: pathlib.Path) -> None:
    """Raise a ValueError if a path is not writable."""
    # A broken link blocks the path, too.
    parents = path.absolute().parents
    folder = next(folder for folder in parents if os.path.lexists(folder))
    protected = os.path.isfile(path) and not os.access(path, os.W_OK)
    if protected or not os.access(folder, os.W_OK) or not folder.is_dir():
        raise ValueError(
            f"The output cannot be written: {'it' if protected else 'its folder'} "
            f"is read-only or not a folder. Received: {str(path)!r}"
        )
