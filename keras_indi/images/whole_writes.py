"""Atomic file writes: a file is written completely or not at all."""

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

# Hidden, and unlike the names of users or other programs: the machine and process
# of the writer, and a random number.
LEFT_OVER = re.compile(
    r"\.keras-indi-(?P<machine>[0-9a-f]{8})-(?P<process>\d{1,10})-[0-9a-f]{8}"
    r"\.partial(\..*)?"
)
# In a temporary folder, the file that lists names under which files of the user, moved
# into the folder, must be put back.
NAMES = "names.json"
DAY = 86_400  # seconds
LONGEST_ENDING = 24  # characters, each up to 4 of the 255 bytes of a name
# Error codes for a full disk, an exceeded quota, and a file that is too large.
FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
IN_WORDS = re.compile(r"errno = (\d+)")  # as HDF5 reports it
# Error codes of file systems that do not support flushing.
CANNOT_FLUSH = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EBADF, errno.EACCES}


def write_whole(
    path: FilePath, save: Callable[[str], Any], modified: int | None = None
) -> pathlib.Path:
    """Write a file atomically, through a temporary file.

    Each writer has its own hidden temporary file in the same folder. If two writers
    write the same path, the last one wins, with a complete file. Content and name are
    on the disk when the function returns. A killed process leaves its temporary file,
    `.keras-indi-....partial....`, which can be deleted.

    Args:
        path: String or path of the file to write. Its folder is created if it does
            not exist.
        save: Function of a string path that writes a file there, such as
            `model.save` or the `save` of a Pillow image. It can write a folder if
            `path` is not an existing folder.
        modified: Int, modification time in nanoseconds, if the system can set it.
            Defaults to now.

    Returns:
        `pathlib.Path` of the file.

    Raises:
        OSError: If the disk is full, with the path of the file. Other errors are those
            of `save`.
    """
    path = pathlib.Path(path)
    with temporary_beside(path) as partial, naming_full_disks(path):
        save(str(partial))
        if modified is not None:
            # Set before the rename, so that the final file is never modified.
            with contextlib.suppress(OSError):
                os.utime(partial, ns=(modified, modified))
        move_into_place(partial, path)
    return path


def write_text(path: FilePath, text: str) -> pathlib.Path:
    """Write text atomically as UTF-8, without converting line endings.

    Args:
        path: As for `write_whole`.
        text: String.

    Returns:
        `pathlib.Path` of the file.
    """
    return write_bytes(path, text.encode())


def write_bytes(path: FilePath, content: bytes) -> pathlib.Path:
    """Write bytes atomically. Other arguments are as for `write_whole`."""
    return write_whole(path, lambda partial: pathlib.Path(partial).write_bytes(content))


def write_encoded(path: FilePath, save: Callable[..., Any]) -> pathlib.Path:
    """Write an image atomically, encoding it in memory first.

    Before version 13, Pillow ignores writes that are cut short by a full disk.

    Args:
        path: As for `write_whole`.
        save: Function of a file object that writes to it: `save` of a Pillow image, or
            `savefig` of a Matplotlib figure.

    Returns:
        `pathlib.Path` of the file.
    """
    return write_bytes(path, encoded(path, save))


def encoded(
    path: FilePath, save: Callable[..., Any], *args: Any, **options: Any
) -> bytes:
    """Return the bytes that `save` would write to a path."""
    file = io.BytesIO()
    file.name = os.fspath(path)
    save(file, *args, **options)
    return file.getvalue()


@contextlib.contextmanager
def temporary_beside(path: pathlib.Path) -> Iterator[pathlib.Path]:
    """Yield a temporary path in the folder of another path.

    Args:
        path: `pathlib.Path`. Its folder is created if it does not exist.

    Yields:
        `pathlib.Path` that does not exist yet. It is removed on exit if it exists.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(temporary_name(path))
    try:
        yield partial
    finally:
        _remove(partial)


def temporary_name(path: pathlib.PurePath) -> str:
    """Return a new temporary file name with the extension of `path`.

    The extension often selects the format.
    """
    ending = "".join(path.suffixes[-2:])[-LONGEST_ENDING:]
    ending = ending[ending.find(".") :] if "." in ending else ""
    writer = f"{_machine()}-{os.getpid()}-{secrets.token_hex(4)}"
    return f".keras-indi-{writer}.partial{ending}"


def move_into_place(partial: pathlib.Path, path: pathlib.Path) -> None:
    """Rename a file or folder after flushing its content to the disk.

    A file that replaces another one keeps the permissions and extended attributes of
    the old file, and its owner if the system permits.

    Args:
        partial: `pathlib.Path` of the temporary file or folder.
        path: `pathlib.Path` of the final name, on the same disk.
    """
    flush(partial)
    if path.is_file():
        _copy_access(path, partial)
    os.replace(partial, path)
    flush_names(path.parent)


@contextlib.contextmanager
def naming_full_disks(path: FilePath) -> Iterator[None]:
    """Raise an OSError with the path of the output if the disk is full.

    Errors that name a temporary file also get the path of the output.

    Args:
        path: Path of the output, for the error message.
    """
    try:
        yield
    except Exception as error:  # libraries raise several exception types
        number = getattr(error, "errno", None) or _told_number(str(error))
        name = getattr(error, "filename", None)
        temporary = name is not None and LEFT_OVER.search(os.fsdecode(name))
        # Users do not know the name of a temporary file.
        if number is None or not (temporary or (number in FULL and name is None)):
            raise
        raise OSError(number, os.strerror(number), str(path)) from error


def check_room(path: FilePath, size: int) -> None:
    """Raise an OSError if the disk has no room for a file.

    HDF5 crashes the process if the disk becomes full while it writes a file.

    Args:
        path: Path of the file to write, in an existing folder.
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
    """Return whether a path has the name of a temporary file of `write_whole`."""
    return LEFT_OVER.fullmatch(path.name) is not None


def remove_left_overs(
    folder: pathlib.Path,
    alone: bool = True,
    before: Callable[[pathlib.Path], Any] | None = None,
) -> list[pathlib.Path]:
    """Remove the temporary files that killed writers left in a folder.

    Args:
        folder: `pathlib.Path`.
        alone: Bool, whether no other process writes in the folder. If `False`, the
            files of running processes are kept, and so are all files of other
            machines and containers.
        before: Function that is called with the path of each file before its removal,
            and puts back what a folder with the file `NAMES` holds. By default, such
            folders are kept.

    Returns:
        List of paths of kept files that have not changed for a day and may be stale.
    """
    stays = []
    for path in folder.iterdir() if folder.is_dir() else ():
        if not is_left_over(path):
            continue
        is_dead = alone or _is_of_the_dead(path)
        if is_dead and before is not None:
            before(path)
        elif is_dead and (path / NAMES).is_file():
            continue
        with contextlib.suppress(OSError):  # owned by another user, or already removed
            if is_dead:
                _remove(path)
            elif path.stat().st_mtime < time.time() - DAY:
                stays.append(path)
    return stays


def flush(path: pathlib.Path) -> None:
    """Flush a file, or a folder with all its content, to the disk.

    Args:
        path: `pathlib.Path`.
    """
    for file in [*path.rglob("*"), path] if path.is_dir() else [path]:
        flush_names(file)


def flush_names(path: pathlib.Path) -> None:
    """Flush the content of a file, or the names in a folder, to the disk.

    Args:
        path: `pathlib.Path`.
    """
    if path.is_dir():
        if os.name != "posix":
            return  # Windows cannot open folders
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
    """Copy owner, permissions and attributes of a file to another, except its times."""
    dates, owner = new.stat(), old.stat()
    if hasattr(os, "chown"):  # before permissions, which this may reset
        with contextlib.suppress(OSError):  # owned by another user
            os.chown(new, owner.st_uid, owner.st_gid)
    with contextlib.suppress(OSError):
        shutil.copystat(old, new)
    with contextlib.suppress(OSError):
        os.utime(new, ns=(dates.st_atime_ns, dates.st_mtime_ns))


def _is_of_the_dead(path):
    """Return whether the process of a temporary file ran here and has ended."""
    found = LEFT_OVER.fullmatch(path.name)
    if os.name != "posix" or found["machine"] != _machine():
        return False  # on Windows `os.kill` would end the process
    try:
        os.kill(int(found["process"]), 0)
    except ProcessLookupError:
        return True
    except (OSError, OverflowError):  # another user's process, or an invalid number
        return False
    return False


@functools.cache
def _machine():
    """Return eight hexadecimal digits that identify this machine or container."""
    name = f"{socket.gethostname()} {uuid.getnode()}"
    with contextlib.suppress(OSError):  # only exists on Linux
        name += os.readlink("/proc/self/ns/pid")
    return hashlib.sha256(name.encode()).hexdigest()[:8]


def _told_number(message):
    """Return the error number in a library's message, or `None`."""
    found = IN_WORDS.search(message)
    if found:
        return int(found[1])
    return next((n for n in FULL if os.strerror(n) in message), None)


def _remove(path):
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
