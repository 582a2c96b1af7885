"""Temporary folder for uploads and results."""

import contextlib
import math
import os
import pathlib
import secrets
import shutil
import tempfile
import threading
import time

from keras_indi.images.folder_lock import hold

PREFIX = "keras-indi-page-"
CHECKS = 60  # checks for old files, over the time that files are kept


class TemporaryFiles:
    """A folder for uploads and results that deletes old files, and all on `close`.

    Files left by a killed process are deleted by the next one.

    Args:
        keep_seconds: Int, how long a file is kept.
        max_bytes: Int, maximum size of all files together. Defaults to no limit.

    Attributes:
        folder: `pathlib.Path`, readable only by this user.
    """

    def __init__(self, keep_seconds: int, max_bytes: float = math.inf) -> None:
        # Resolved: with links, the server would refuse its own files.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self._lock = hold(self.folder)
        self._keep_seconds = keep_seconds
        self._max_bytes = max_bytes
        self._delete_left_overs()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._sweep_until_closed, daemon=True)
        self._thread.start()

    def new_folder(self) -> pathlib.Path:
        """Create a folder with an unguessable name."""
        folder = self.folder / secrets.token_urlsafe(24)
        folder.mkdir()
        return folder

    def has_room(self, size: int = 0) -> bool:
        """Return whether this many more bytes are within the limit."""
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):  # deleted meanwhile
                size += path.stat().st_size
        return size <= self._max_bytes

    def sweep(self, now: float | None = None) -> None:
        """Delete old files, and folders that become empty.

        Args:
            now: Float, seconds since the epoch. Defaults to the current time.
        """
        # Not the modification time, which results take from their photograph.
        oldest = (time.time() if now is None else now) - self._keep_seconds
        with contextlib.suppress(OSError):  # something else has deleted the folder
            os.utime(self.folder)  # marks the process as alive, where locks do not
        paths = sorted(self.folder.rglob("*"), reverse=True)  # files before folders
        for path in paths:
            # Skips folders that are not empty, and paths deleted meanwhile.
            with contextlib.suppress(OSError):
                if path.lstat().st_ctime > oldest:
                    continue
                if path.is_dir():
                    path.rmdir()
                    continue
                path.unlink()
                if path.parent != self.folder:
                    path.parent.rmdir()  # its own time has just changed

    def close(self) -> None:
        """Delete everything."""
        self._closed.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def _delete_left_overs(self) -> None:
        """Delete old folders of ended processes, whose locks the system released."""
        oldest = time.time() - self._keep_seconds
        for folder in self.folder.parent.glob(f"{PREFIX}*"):
            # Another user's, in use, or deleted meanwhile.
            with contextlib.suppress(OSError):
                if folder.lstat().st_mtime < oldest:
                    lock = hold(folder)
                    try:
                        shutil.rmtree(folder)
                    finally:
                        if lock is not None:
                            os.close(lock)

    def _sweep_until_closed(self) -> None:
        while not self._closed.wait(max(1.0, self._keep_seconds / CHECKS)):
            self.sweep()
