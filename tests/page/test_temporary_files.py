"""Uploads and results are deleted: when they are old, and at the end."""

import os
import stat
import tempfile
import time

import pytest

from keras_indi.images.folder_lock import fcntl
from keras_indi.page.temporary_files import PREFIX, TemporaryFiles

pytestmark = pytest.mark.backend_free


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def test_old_files_are_deleted_whatever_date_they_carry():
    files = TemporaryFiles(keep_seconds=3600)
    path = files.new_folder() / "a.jpg"
    path.write_bytes(b"1")
    os.utime(path, (0, 0))  # the date of a photograph of 1970
    empty = files.new_folder()
    files.sweep()
    assert path.exists() and empty.exists()
    files.sweep(time.time() + 3500)
    assert path.exists() and empty.exists()
    files.sweep(time.time() + 3700)
    assert list(files.folder.iterdir()) == []
    files.close()


def test_the_sweep_runs_by_itself():
    files = TemporaryFiles(keep_seconds=1)
    path = files.new_folder() / "a.jpg"
    path.write_bytes(b"1")
    for _ in range(300):
        if not path.parent.exists():
            break
        time.sleep(0.1)
    assert not path.parent.exists()
    assert files.folder.exists()
    files.close()


def test_its_files_have_a_limit_together():
    files = TemporaryFiles(keep_seconds=3600, max_bytes=5000)
    size = sum(path.stat().st_size for path in files.folder.rglob("*"))
    assert files.has_room() and files.has_room(5000 - size)
    (files.folder / "a.jpg").write_bytes(bytes(3000))
    assert files.has_room(2000) and not files.has_room(2001)
    files.sweep(time.time() + 3700)
    assert files.has_room(5000)
    files.close()


def test_closing_deletes_all():
    files = TemporaryFiles(keep_seconds=3600)
    (files.new_folder() / "a.jpg").write_bytes(b"1")
    files.close()
    assert not files.folder.exists()


@pytest.mark.skipif(os.name != "posix", reason="permissions of POSIX")
def test_only_its_user_can_read_it():
    files = TemporaryFiles(keep_seconds=3600)
    assert stat.S_IMODE(files.folder.stat().st_mode) == 0o700
    files.close()


def test_what_a_killed_process_left_is_deleted_by_the_next(tmp_path):
    left, alive, other = (tmp_path / name for name in (f"{PREFIX}1", f"{PREFIX}2", "x"))
    for folder in (left, alive, other):
        folder.mkdir()
        (folder / "a.jpg").write_bytes(b"1")
    for folder in (left, other):
        os.utime(folder, (0, 0))
    files = TemporaryFiles(keep_seconds=3600)
    assert not left.exists() and alive.exists() and other.exists()
    files.close()


@pytest.mark.skipif(fcntl is None, reason="Windows")
def test_the_folder_of_a_page_that_runs_is_kept_however_old(tmp_path):
    alive = TemporaryFiles(keep_seconds=36_000)
    os.utime(alive.folder, (0, 0))  # as after hours of sleep
    other = TemporaryFiles(keep_seconds=1)
    assert alive.folder.exists()
    for files in (alive, other):
        files.close()
        files.close()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_something_else_deletes_does_not_end_the_sweeps():
    files = TemporaryFiles(keep_seconds=3600)
    files.folder.rmdir()
    files.sweep()
    files.close()
