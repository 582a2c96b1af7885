"""The folder of a page's uploads and results, which leaves nothing behind."""

import contextlib
import math
import os
import pathlib
import secrets
import shutil
import tempfile
import threading
import time

PREFIX = "keras-indi-page-"
CHECKS = 60  # how often old files are looked for while files are kept


class TemporaryFiles:
    """A folder for uploads and results, deleted when they are old and at the end.

    What a process that was killed has left is deleted by the next.

    Args:
        keep_seconds: Int, how long a file is kept.
        max_bytes: Int, of all files together. Defaults to no limit.

    Attributes:
        folder: `pathlib.Path`, which only this user can read.
    """

    def __init__(self, keep_seconds: int, max_bytes: float = math.inf) -> None:
        # Resolved, as links would make a server refuse its own files.
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix=PREFIX)).resolve()
        self._keep_seconds = keep_seconds
        self._max_bytes = max_bytes
        self._delete_left_overs()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._sweep_until_closed, daemon=True)
        self._thread.start()

    def new_folder(self) -> pathlib.Path:
        """Make a folder whose name nobody can guess."""
        folder = self.folder / secrets.token_urlsafe(24)
        folder.mkdir()
        return folder

    def has_room(self, size: int = 0) -> bool:
        """Whether so many bytes more are within the limit."""
        for path in self.folder.rglob("*"):
            with contextlib.suppress(OSError):  # deleted meanwhile
                size += path.stat().st_size
        return size <= self._max_bytes

    def sweep(self, now: float | None = None) -> None:
        """Delete files that are too old, and folders that they leave empty.

        Args:
            now: Float, seconds since the epoch. Defaults to the clock's.
        """
        # The time of the last change, as results carry the date of their photograph.
        oldest = (time.time() if now is None else now) - self._keep_seconds
        os.utime(self.folder)  # a sign of life
        paths = sorted(self.folder.rglob("*"), reverse=True)  # files before folders
        for path in paths:
            # Folders that are not empty, and what is deleted meanwhile, are left.
            with contextlib.suppress(OSError):
                if path.lstat().st_ctime > oldest:
                    continue
                if path.is_dir():
                    path.rmdir()
                    continue
                path.unlink()
                if path.parent != self.folder:
                    path.parent.rmdir()  # which has changed just now

    def close(self) -> None:
        """Delete everything."""
        self._closed.set()
        self._thread.join()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _delete_left_overs(self) -> None:
        """Delete folders whose process has given no sign of life for long."""
        oldest = time.time() - self._keep_seconds
        for folder in self.folder.parent.glob(f"{PREFIX}*"):
            with contextlib.suppress(OSError):  # another user's, or deleted meanwhile
                if folder.lstat().st_mtime < oldest:
                    shutil.rmtree(folder)

    def _sweep_until_closed(self) -> None:
        while not self._closed.wait(max(1.0, self._keep_seconds / CHECKS)):
            self.sweep()
