"""A folder that one process at a time works in."""

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
BEYOND = 2**20  # Windows locks bytes; those before it can be read still
# What file systems answer that have no locks.
NO_LOCKS = {errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EINVAL}


@contextlib.contextmanager
def locked_folder(folder: FilePath | None, argument: str) -> Iterator[None]:
    """Keep other processes, and other threads, out of a folder while work lasts.

    The system frees the lock of a process that ends, however it ends. Where a disk
    has no locks, a warning says so.

    Args:
        folder: Path of the folder, which is made if it is not there; or `None`, where
            there is nothing to keep others out of.
        argument: String, what the user names the folder by, for the error.

    Raises:
        ValueError: If another one works there, or it is no folder.
        OSError: If nothing can be written there.
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
            # While it is locked: after, it may be another one's.
            path.unlink(missing_ok=True)
        os.close(file)
        if os.name != "posix":
            with contextlib.suppress(OSError):  # another one has it open
                path.unlink()


@contextlib.contextmanager
def turn_in_folder(folder: pathlib.Path) -> Iterator[None]:
    """Wait until no other process or thread is in this context of the same folder.

    Where a system or a disk has no such locks, it does not wait.

    Args:
        folder: `pathlib.Path`, which is there.
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


def _opened(path, folder, argument):
    """The descriptor of the lock's file, locked."""
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
        # Whoever had it may have removed it since it was opened.
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
