"""Files are written whole or not at all."""

import errno
import io
import os
import pathlib
import subprocess
import sys
import threading

import pytest
from PIL import Image

from keras_indi.images.whole_writes import (
    NAMES,
    is_left_over,
    remove_left_overs,
    write_encoded,
    write_text,
    write_whole,
)

pytestmark = pytest.mark.backend_free


def test_a_file_is_written_with_its_folder(tmp_path):
    seen = []

    def save(partial):
        seen.append(pathlib.Path(partial))
        pathlib.Path(partial).write_text("new")

    path = write_whole(str(tmp_path / "a" / "b.txt"), save)
    assert path.read_text() == "new"
    assert seen[0] != path and seen[0].suffix == ".txt"
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("name", ["a.weights.h5", "a.ome.zarr", "a", "a.JPG"])
def test_a_temporary_name_ends_as_the_file_will(tmp_path, name):
    seen = []

    def save(partial):
        seen.append(pathlib.Path(partial))
        pathlib.Path(partial).write_text("new")

    write_whole(tmp_path / name, save)
    assert seen[0].name.endswith(name[1:]) and is_left_over(seen[0])


@pytest.mark.skipif(os.name != "posix", reason="no permissions of that kind")
@pytest.mark.parametrize("mode", [0o600, 0o664, 0o444])
def test_what_replaces_a_file_has_its_permissions(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("old")
    path.chmod(mode)
    os.utime(path, (1, 1))
    try:
        os.setxattr(path, "user.rating", b"5")
        attributes = {"user.rating": b"5"}
    except (AttributeError, OSError):  # of another system or disk
        attributes = {}
    if os.geteuid() == 0:
        os.chown(path, 1234, 1234)
    owner = path.stat()
    write_whole(path, lambda partial: pathlib.Path(partial).write_text("new"))
    found = path.stat()
    assert path.read_text() == "new"
    assert found.st_mode == owner.st_mode
    assert (found.st_uid, found.st_gid) == (owner.st_uid, owner.st_gid)
    assert found.st_mtime > 1  # of its own date
    assert all(os.getxattr(path, name) == x for name, x in attributes.items())


def test_what_breaks_off_leaves_the_old_file(tmp_path):
    path = tmp_path / "b.txt"
    path.write_text("old")

    def save(partial):
        pathlib.Path(partial).write_text("ne")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        write_whole(path, save)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_but_its_own_is_removed(tmp_path):
    others = ["partial-b.txt", ".partial-b.txt", "partial-b", ".b.txt.partial"]
    for name in others:
        (tmp_path / name).write_text(name)
    write_text(tmp_path / "b.txt", "new")
    for name in others:
        assert (tmp_path / name).read_text() == name
        assert not is_left_over(tmp_path / name)


def test_of_two_writers_of_one_path_the_last_one_s_file_is_whole(tmp_path):
    path, halfway, go_on = tmp_path / "b.txt", threading.Event(), threading.Event()

    def slowly(partial):
        with open(partial, "w") as file:
            file.write("slow ")
            halfway.set()
            assert go_on.wait(10)
            file.write("but whole")

    writer = threading.Thread(target=write_whole, args=(path, slowly))
    writer.start()
    assert halfway.wait(10)
    write_text(path, "fast")
    assert path.read_text() == "fast"
    go_on.set()
    writer.join()
    assert path.read_text() == "slow but whole"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize("length", [247, 248, 255])
@pytest.mark.parametrize("letter", ["a", "é"])
def test_the_longest_names_are_written(tmp_path, length, letter):
    count, rest = divmod(length - len(".weights.h5"), len(letter.encode()))
    name = f"{letter * count}{'a' * rest}.weights.h5"
    assert len(name.encode()) == length
    write_text(tmp_path / name, "new")
    assert os.listdir(tmp_path) == [name]


def test_a_folder_is_written_whole(tmp_path):
    def save(partial):
        pathlib.Path(partial, "inner").mkdir(parents=True)
        pathlib.Path(partial, "inner", "c.txt").write_text("new")

    path = write_whole(tmp_path / "a.zarr", save)
    assert (path / "inner" / "c.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [path]


def test_content_and_name_are_flushed_in_their_order(tmp_path, monkeypatch):
    calls = []
    fsync, replace = os.fsync, os.replace

    def flushed(file):
        kind = "folder" if os.path.isdir(f"/proc/self/fd/{file}") else "file"
        calls.append(kind)
        fsync(file)

    def replaced(*arguments):
        calls.append("replace")
        replace(*arguments)

    monkeypatch.setattr(os, "fsync", flushed)
    monkeypatch.setattr(os, "replace", replaced)
    write_text(tmp_path / "b.txt", "new")
    if os.path.isdir("/proc/self/fd"):
        assert calls == ["file", "replace", "folder"]
    else:
        assert calls[0] != "replace" and "replace" in calls


def test_a_disk_that_cannot_flush_a_file_keeps_the_old_one(tmp_path, monkeypatch):
    path = write_text(tmp_path / "b.txt", "old")

    def full(file):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space left.*b.txt"):
        write_text(path, "new")
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.parametrize(
    "error",
    [
        OSError(errno.ENOSPC, "No space left on device"),
        OSError("Can't write (errno = 28, error message = 'No space left on device')"),
        RuntimeError("Can't close (unable to extend file properly, errno = 28, ...)"),
        RuntimeError("/a/saved_model.pb.tmp1; No space left on device"),
    ],
)
def test_a_full_disk_is_told_with_the_file(tmp_path, error):
    def save(partial):
        pathlib.Path(partial).write_text("ne")
        raise error

    with pytest.raises(OSError) as raised:
        write_whole(tmp_path / "b.txt", save)
    assert raised.value.errno == errno.ENOSPC
    assert raised.value.filename == str(tmp_path / "b.txt")
    assert not list(tmp_path.iterdir())


def test_left_overs_are_removed_and_nothing_else(tmp_path):
    folder = tmp_path / ".keras-indi-01234567-12-89abcdef.partial.zarr"
    folder.mkdir()
    (folder / "c").write_text("")
    (tmp_path / ".keras-indi-01234567-12-89abcdef.partial").write_text("")
    kept = [".keras-indi-mine.partial.png", "a.png", "partial-a.png"]
    for name in kept:
        (tmp_path / name).write_text("")
    remove_left_overs(tmp_path)
    assert sorted(os.listdir(tmp_path)) == kept
    remove_left_overs(tmp_path / "missing")


def test_left_overs_that_hold_files_of_the_user_are_kept_until_they_are_put_back(
    tmp_path,
):
    folder = tmp_path / ".keras-indi-01234567-12-89abcdef.partial.onnx"
    folder.mkdir()
    (folder / NAMES).write_text("[]")
    (folder / "mine.onnx").write_text("mine")
    remove_left_overs(tmp_path)
    assert (folder / "mine.onnx").read_text() == "mine"
    put_back = []
    remove_left_overs(tmp_path, before=lambda path: put_back.append([*path.iterdir()]))
    assert sorted(put_back[0]) == [folder / "mine.onnx", folder / NAMES]
    assert not folder.exists()


def test_a_file_takes_its_date_with_its_name(tmp_path, monkeypatch):
    names = []
    replace = os.replace

    def replaced(partial, path):
        names.append(os.stat(partial).st_mtime_ns)
        replace(partial, path)

    monkeypatch.setattr(os, "replace", replaced)
    save = lambda partial: pathlib.Path(partial).write_text("new")  # noqa: E731
    path = write_whole(tmp_path / "b.txt", save, modified=10**18)
    assert names == [10**18] and path.stat().st_mtime_ns == 10**18


LEAVES = """
import os, pathlib, sys
from keras_indi.images.whole_writes import write_whole

def save(partial):
    pathlib.Path(partial).write_text("half of")
    print(partial, flush=True)
    sys.stdin.readline()
    os.kill(os.getpid(), 9)

write_whole(sys.argv[1], save)
"""


@pytest.mark.skipif(os.name != "posix", reason="kills a process")
def test_what_stays_is_of_processes_that_live_or_are_elsewhere(tmp_path):
    with subprocess.Popen(
        [sys.executable, "-c", LEAVES, str(tmp_path / "b.txt")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
        text=True,
    ) as process:
        partial = pathlib.Path(process.stdout.readline().strip())
        assert remove_left_overs(tmp_path, alone=False) == []
        assert partial.read_text() == "half of"  # it writes still
        process.communicate("\n", timeout=60)
    # Another machine's, of a process that is none here.
    machine, number = partial.name.split("-")[2:4]
    elsewhere = partial.name.replace(machine, f"{int(machine, 16) ^ 1:08x}")
    elsewhere = tmp_path / elsewhere
    elsewhere.write_text("half of")
    assert int(number) == process.pid
    assert remove_left_overs(tmp_path, alone=False) == []
    assert os.listdir(tmp_path) == [elsewhere.name]
    os.utime(elsewhere, (10**9, 10**9))
    assert remove_left_overs(tmp_path, alone=False) == [elsewhere]
    assert elsewhere.exists()


@pytest.mark.parametrize("name, format", [("a.png", "PNG"), ("a.jpg", "JPEG")])
def test_a_picture_is_encoded_before_anything_is_written(tmp_path, name, format):
    picture = Image.effect_noise((30, 20), 50)
    there = []

    def save(file):
        picture.save(file)
        there.extend(tmp_path.iterdir())

    path = write_encoded(tmp_path / name, save)
    assert there == [] and list(tmp_path.iterdir()) == [path]
    alone = io.BytesIO()
    picture.save(alone, format)
    assert path.read_bytes() == alone.getvalue()


def test_text_is_utf_8_with_its_line_ends(tmp_path):
    path = write_text(tmp_path / "b.txt", "é\n\r\n")
    assert path.read_bytes() == b"\xc3\xa9\n\r\n"
