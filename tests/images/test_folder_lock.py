"""One process at a time works in a folder."""

import errno
import os
import signal
import subprocess
import sys

import pytest

from keras_indi.images import folder_lock
from keras_indi.images.folder_lock import LOCK, hold, locked_folder

pytestmark = pytest.mark.backend_free

HOLD = """
import sys
from keras_indi.images.folder_lock import locked_folder
with locked_folder(sys.argv[1], "output"):
    print("held", flush=True)
    sys.stdin.read()
"""


def test_a_second_one_is_refused_by_name_and_the_lock_goes(tmp_path):
    folder = tmp_path / "a" / "b"
    with locked_folder(folder, "output"):
        assert os.listdir(folder) == [LOCK]
        for _ in range(2):
            with pytest.raises(ValueError, match="Another process .*output='.*/a/b'"):
                with locked_folder(folder, "output"):
                    raise AssertionError
        with locked_folder(tmp_path, "output"):  # another folder
            pass
    assert os.listdir(folder) == []
    with locked_folder(folder, "output"):
        pass


def test_an_error_frees_it(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        with locked_folder(tmp_path, "output"):
            raise KeyboardInterrupt
    with locked_folder(tmp_path, "output"):
        pass
    assert os.listdir(tmp_path) == []


@pytest.mark.skipif(os.name != "posix", reason="sends a signal")
def test_a_killed_process_holds_nothing(tmp_path):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environ,
    ) as process:
        assert process.stdout.readline() == b"held\n"
        with pytest.raises(ValueError, match=f"process {process.pid} on "):
            with locked_folder(tmp_path, "output"):
                raise AssertionError
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert os.listdir(tmp_path) == [LOCK]
    with locked_folder(tmp_path, "output"):
        pass
    assert os.listdir(tmp_path) == []


def test_what_is_no_folder_is_refused_and_none_is_no_folder(tmp_path):
    (tmp_path / "a").write_text("mine")
    with pytest.raises(ValueError, match="`output` must be a folder.*Received: .*a'"):
        with locked_folder(tmp_path / "a", "output"):
            raise AssertionError
    with locked_folder(None, "output"):
        pass


@pytest.mark.skipif(folder_lock.fcntl is None, reason="Windows")
def test_a_disk_without_locks_is_warned_of(tmp_path, monkeypatch):
    def none(file, operation):
        raise OSError(folder_lock.errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.fcntl, "flock", none)
    with pytest.warns(UserWarning, match="This disk has no locks"):
        with locked_folder(tmp_path, "output"):
            pass
    assert os.listdir(tmp_path) == []


def test_where_nothing_can_be_written_the_folder_is_named(tmp_path, monkeypatch):
    def denied(path, *arguments, **options):
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr(os, "open", denied)
    with pytest.raises(PermissionError, match="choose another folder for `out`") as one:
        with locked_folder(tmp_path, "out"):
            pass
    assert one.value.filename == str(tmp_path)


@pytest.mark.skipif(folder_lock.fcntl is None, reason="Windows")
def test_a_folder_is_held_once_and_only_a_folder(tmp_path, monkeypatch):
    file = hold(tmp_path)
    with pytest.raises(BlockingIOError):
        hold(tmp_path)
    os.close(file)
    os.close(hold(tmp_path))
    assert os.listdir(tmp_path) == []
    os.mkfifo(tmp_path / "pipe")  # opening it would wait for ever
    os.symlink(tmp_path, tmp_path / "link")
    for name in ("pipe", "link", "missing"):
        with pytest.raises(OSError):
            hold(tmp_path / name)

    def none(file, operation):
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(folder_lock.fcntl, "flock", none)
    assert hold(tmp_path) is None
