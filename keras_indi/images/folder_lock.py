"""Lock a folder, so that only one process at a time works in it."""

import contextlib
import errno
import os
import pathlib
import socket
import warnings
from collections.abc import Iterator

from keras_indi.annotations import FilePath

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]
    import msvcrt

LOCK = ".keras-indi-lock"
BEYOND = 2**20  # Windows locks byte ranges; the bytes before this stay readable
# Error codes of file systems without locks.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL}


@contextlib.contextmanager
def locked_folder(folder: FilePath | None, argument: str) -> Iterator[None]:
    """Lock a folder against other processes and other threads.

    The system releases the lock when the process ends, for whatever reason. On a disk
    without locks, a warning is issued.

    Args:
        folder: Path of the folder, which is created if it does not exist. `None`
            locks nothing.
        argument: String, name of the user's argument for the folder, for the error
            message.

    Raises:
        ValueError: If another process holds the lock, or the path is not a folder.
        OSError: If the folder is not writable.
    """
    if folder is None:
        yield
        return
    folder = pathlib.Path(folder)
    if folder.exists() and not folder.is_dir():
        raise ValueError(
            f"`{argument}` must be a folder. Received: {argument}={str(folder)!r}"
        )
    path = folder / LOCK
    try:
        folder.mkdir(parents=True, exist_ok=True)
        file = _opened(path, folder, argument)
    except OSError as error:
        why = f"{error.strerror}; choose another folder for `{argument}`"
        raise type(error)(error.errno, why, str(folder)) from error
    try:
        os.ftruncate(file, 0)
        os.write(file, f"process {os.getpid()} on {socket.gethostname()}".encode())
        yield
    finally:
        if os.name == "posix":
            # Delete it before the lock is released: another process may own it after.
            path.unlink(missing_ok=True)
        os.close(file)
        if os.name != "posix":
            with contextlib.suppress(OSError):  # another process has it open
                path.unlink()


@contextlib.contextmanager
def turn_in_folder(folder: pathlib.Path) -> Iterator[None]:
    """Wait until no other process or thread is in this context for the same folder.

    Does not wait on systems or disks without such locks.

    Args:
        folder: `pathlib.Path` of an existing folder.
    """
    if fcntl is None:
        yield
        return
    file = os.open(folder, os.O_RDONLY)
    try:
        with contextlib.suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX)
        yield
    finally:
        os.close(file)


def hold(folder: pathlib.Path) -> int | None:
    """Lock a folder against other calls, without waiting, until the process ends.

    Args:
        folder: `pathlib.Path` of an existing folder.

    Returns:
        Descriptor, whose closing releases the lock. `None` on systems or disks
        without such locks.

    Raises:
        BlockingIOError: If it is held already.
        OSError: If it is not a readable folder.
    """
    if fcntl is None:
        return None
    file = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(file)
        if isinstance(error, BlockingIOError):
            raise
        return None
    return file


def _opened(path, folder, argument):
    """Return the descriptor of the locked lock file."""
    while True:
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            _lock(file)
        except OSError as error:
            holder = os.pread(file, 200, 0) if hasattr(os, "pread") else b""
            os.close(file)
            if error.errno in NO_LOCKS:
                warnings.warn(
                    "This disk has no locks: no other process must work in "
                    f"{str(folder)!r}",
                    stacklevel=4,
                )
                return os.open(path, os.O_RDWR)
            raise ValueError(
                "Another process works in this folder, "
                f"{holder.decode(errors='replace') or 'of unknown number'}: wait until "
                f"it ends, end it, or choose another folder. Received: {argument}="
                f"{str(folder)!r}"
            ) from error
        # The previous owner may have deleted the file since it was opened.
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), os.stat(path)):
                return file
        os.close(file)


def _lock(file):
    if fcntl is not None:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        return
    os.lseek(file, BEYOND, os.SEEK_SET)
    msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
    os.lseek(file, 0, os.SEEK_SET)
