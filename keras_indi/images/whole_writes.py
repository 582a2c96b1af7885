"""Files that are written whole or not at all."""

import contextlib
import errno
import functools
import hashlib
import io
import os
import pathlib
import re
import secrets
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from typing import Any

from keras_indi.annotations import FilePath

# Hidden, and of no name that a user or another program gives a file: the writer's
# machine and process, and a random number.
LEFT_OVER = re.compile(
    r"\.keras-indi-(?P<machine>[0-9a-f]{8})-(?P<process>\d{1,10})-[0-9a-f]{8}"
    r"\.partial(\..*)?"
)
DAY = 86_400  # seconds
LONGEST_ENDING = 24  # characters, of which each may take 4 of a name's 255 bytes
# What they answer where there is no room: on the disk, for the user, for such a file.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
IN_WORDS = re.compile(r"errno = (\d+)")  # as HDF5 reports it
# What file systems answer that cannot flush, and so have nothing to flush.
CANNOT_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF, errno.EACCES}


def write_whole(
    path: FilePath, save: Callable[[str], Any], modified: int | None = None
) -> pathlib.Path:
    """Save under another name first, so that no half-written file is left.

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
        modified: Int, nanoseconds, the file's date of modification, where the system
            lets it have another than now. Defaults to now.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        OSError: If the disk is full, with the path of the file; or else as `save`.
    """
    path = pathlib.Path(path)
    with temporary_beside(path) as partial, naming_full_disks(path):
        save(str(partial))
        if modified is not None:
            # Before it has its name, after which nothing more is done to it.
            with contextlib.suppress(OSError):
                os.utime(partial, ns=(modified, modified))
        move_into_place(partial, path)
    return path


def write_text(path: FilePath, text: str) -> pathlib.Path:
    """Write text as UTF-8 with its line ends as they are, whole or not at all.

    Args:
        path: As for `write_whole`.
        text: String.

    Returns:
        `pathlib.Path` of the file.
    """
    return write_bytes(path, text.encode())


def write_bytes(path: FilePath, content: bytes) -> pathlib.Path:
    """Write bytes, whole or not at all; as `write_whole` otherwise."""
    return write_whole(path, lambda partial: pathlib.Path(partial).write_bytes(content))


def write_encoded(path: FilePath, save: Callable[..., Any]) -> pathlib.Path:
    """Save a picture as `write_whole` does, but encodes it in memory first.

    Pillow, before version 13, loses a write that a full disk cuts short.

    Args:
        path: As for `write_whole`.
        save: Function of a file to write: `save` of a Pillow image, or `savefig` of a
            figure.

    Returns:
        `pathlib.Path` of the file.
    """
    return write_bytes(path, encoded(path, save))


def encoded(
    path: FilePath, save: Callable[..., Any], *args: Any, **options: Any
) -> bytes:
    """What `save` would write into a path, whose ending may choose the format."""
    file = io.BytesIO()
    file.name = os.fspath(path)
    save(file, *args, **options)
    return file.getvalue()


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
    writer = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return f".keras-indi-{writer}.partial{ending}"


def move_into_place(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Give a file or folder its name, once its content is on the disk.

    What replaces a file has its permissions, extended attributes and, where the system
    lets it, its owner.

    Args:
        partial: `pathlib.Path` of the file or folder.
        path: `pathlib.Path` of its name, in a folder of the same disk.
    """
    flush(partial)
    if path.is_file():
        _copy_access(path, partial)
    os.replace(partial, path)
    flush_names(path.parent)


@contextlib.contextmanager
def naming_full_disks(path: FilePath) -> Iterator[None]:
    """Raise an OSError with a path, which says why, where a disk has no room.

    So does whatever an OSError says of a temporary file.

    Args:
        path: Path of what is written, for the error.
    """
    try:
        yield
    except Exception as error:  # libraries raise of several kinds
        number = getattr(error, "errno", None) or _told_number(str(error))
        name = getattr(error, "filename", None)
        temporary = name is not None and LEFT_OVER.search(os.fsdecode(name))
        # Of a temporary file's name a user knows nothing.
        if number is None or not (temporary or (number in FULL and name is None)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def check_room(path: FilePath, size: int) -> None:
    """Raise an OSError where a disk has no room for a file.

    HDF5 ends the process, later, where it meets a full disk in the middle of a file.

    Args:
        path: Path of the file that is to be written, in a folder that is there.
        size: Int, bytes.
    """
    folder = pathlib.Path(path).parent
    with naming_full_disks(path):
        if not hasattr(os, "posix_fallocate"):
            if shutil.disk_usage(folder).free < size:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return
        with tempfile.TemporaryFile(dir=folder) as file:
            os.posix_fallocate(file.fileno(), 0, size)


def is_left_over(path: pathlib.PurePath) -> bool:
    """Whether a path has the name of a temporary file of `write_whole`."""
    return LEFT_OVER.fullmatch(path.name) is not None


def remove_left_overs(folder: pathlib.Path, alone: bool = True) -> list[pathlib.Path]:
    """Remove what killed writers have left in a folder.

    Args:
        folder: `pathlib.Path`.
        alone: Bool, whether no other process writes in the folder. Else what other
            processes of this machine write stays, as long as they are there, and all
            that processes of other machines and containers have written.

    Returns:
        List of paths of what stays and was not touched for a day: it may be left over.
    """
    stays = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if not is_left_over(path):
            continue
        with contextlib.suppress(OSError):  # another user's, or removed meanwhile
            if alone or _is_of_the_dead(path):
                _remove(path)
            elif path.stat().st_mtime < time.time() - DAY:
                stays.append(path)
    return stays


def left_overs_of_the_dead(folder: pathlib.Path) -> list[pathlib.Path]:
    """Return what `remove_left_overs(folder, alone=False)` would remove.

    Args:
        folder: `pathlib.Path`.
    """
    found = folder.iterdir() if folder.is_dir() else ()
    return [path for path in found if is_left_over(path) and _is_of_the_dead(path)]


def flush(path: pathlib.Path) -> None:
    """Return once the content of a file, or of a folder and all in it, is on the disk.

    Args:
        path: `pathlib.Path`.
    """
    for file in [*path.rglob("*"), path] if path.is_dir() else [path]:
        flush_names(file)


def flush_names(path: pathlib.Path) -> None:
    """Return once a file's content, or the names in a folder, are on the disk.

    Args:
        path: `pathlib.Path`.
    """
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


def _copy_access(old, new):
    """Let a file be read and written by those who may read and write another."""
    dates, owner = new.stat(), old.stat()
    if hasattr(os, "chown"):  # changing it may take permissions away
        with contextlib.suppress(OSError):  # another user's
            os.chown(new, owner.st_uid, owner.st_gid)
    with contextlib.suppress(OSError):
        shutil.copystat(old, new)
    with contextlib.suppress(OSError):
        os.utime(new, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def _is_of_the_dead(path):
    """Whether a temporary file's process was of this machine, and is no more."""
    found = LEFT_OVER.fullmatch(path.name)
    if os.name != "posix" or found["machine"] != _machine():
        return False  # elsewhere `os.kill` would end the process
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's, or of no number that there is
        return False
    return False


@functools.cache
def _machine():
    """Eight digits that are this machine's, or this container's, processes' own."""
    name = f"{socket.gethostname()} {uuid.getnode()}"
    with contextlib.suppress(OSError):  # where there are containers
        name += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _told_number(message):
    """The number of the system's error that a library reports in words, or `None`."""
    found = IN_WORDS.search(message)
    if found:
        return int(found[1])
    return next((n for n in FULL if os.strerror(n) in message), None)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
