"""Files that are written whole or not at all."""

import contextlib
import errno
import os
import pathlib
import re
import secrets
import shutil
from collections.abc import Callable, Iterator
from typing import Any

from keras_indi.annotations import FilePath

# Hidden, and of no name that a user or another program gives a file.
LEFT_OVER = re.compile(r"\.keras-indi-[0-9a-f]{16}\.partial(\..*)?")
LONGEST_ENDING = 24  # characters, of which each may take 4 of a name's 255 bytes
# What file systems answer that cannot flush, and so have nothing to flush.
CANNOT_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF, errno.EACCES}


def write_whole(path: FilePath, save: Callable[[str], Any]) -> pathlib.Path:
    """Saves under another name first, so that no half-written file is left.

    Each writer has a hidden temporary file of its own beside the path, so that of
    two that write one path the last one's file is left, whole. Content and name are
    on the disk when the function returns. A process that is killed leaves its
    temporary file, `.keras-indi-....partial....`, which may be deleted.

    Args:
        path: String or path of the file to write. Its folder is made if it is
            not there.
        save: Function that writes a file, or a folder where `path` is none yet, at
            the string path it is given, such as `model.save` or a Pillow image's
            `save`.

    Returns:
        `pathlib.Path` of the file.
    """
    path = pathlib.Path(path)
    with temporary_beside(path) as partial:
        save(str(partial))
        move_into_place(partial, path)
    return path


def write_text(path: FilePath, text: str) -> pathlib.Path:
    """Writes text as UTF-8 with its line ends as they are, whole or not at all.

    Args:
        path: As for `write_whole`.
        text: String.

    Returns:
        `pathlib.Path` of the file.
    """
    content = text.encode()
    return write_whole(path, lambda partial: pathlib.Path(partial).write_bytes(content))


@contextlib.contextmanager
def temporary_beside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """A path beside another, for what is moved there once it is whole.

    Args:
        path: `pathlib.Path`. Its folder is made if it is not there.

    Yields:
        `pathlib.Path` of nothing yet. What is still there in the end is removed.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(temporary_name(path))
    try:
        yield partial
    finally:
        _remove(partial)


def temporary_name(path: pathlib.PurePath) -> str:
    """A new name of what is `path` once it is whole, ending as `path` does.

    The ending often chooses the format.
    """
    ending = "".join(path.suffixes[-2:])[-LONGEST_ENDING:]
    ending = ending[ending.find(".") :] if "." in ending else ""
    return f".keras-indi-{secrets.token_hex(8)}.partial{ending}"


def move_into_place(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Gives a file or folder its name, once its content is on the disk.

    Args:
        partial: `pathlib.Path` of the file or folder.
        path: `pathlib.Path` of its name, in a folder of the same disk.
    """
    for file in [*partial.rglob("*"), partial] if partial.is_dir() else [partial]:
        _flush(file)
    os.replace(partial, path)
    _flush(path.parent)


def is_left_over(path: pathlib.PurePath) -> bool:
    """Whether a path has the name of a temporary file of `write_whole`."""
    return LEFT_OVER.fullmatch(path.name) is not None


def remove_left_overs(folder: pathlib.Path) -> None:
    """Removes what killed writers have left in a folder.

    Args:
        folder: `pathlib.Path` of a folder that no other process writes in.
    """
    for path in folder.iterdir() if folder.is_dir() else ():
        if is_left_over(path):
            _remove(path)


def _flush(path):
    """Returns once a file's content, or the names in a folder, are on the disk."""
    if path.is_dir():
        if os.name != "posix":
            return  # a folder cannot be opened there
        flags = os.O_RDONLY
    else:
        flags = os.O_RDWR | getattr(os, "O_BINARY", 0)
    try:
        file = os.open(path, flags)
    except OSError as error:
        if error.errno in CANNOT_FLUSH:
            return
        raise
    try:
        os.fsync(file)
    except OSError as error:
        if error.errno not in CANNOT_FLUSH:
            raise
    finally:
        os.close(file)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
