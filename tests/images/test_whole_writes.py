"""Files are written whole or not at all."""

import pathlib

import pytest

from keras_indi.images.whole_writes import write_whole


def test_a_file_is_written_with_its_folder(tmp_path):
    seen = []

    def save(partial):
        seen.append(pathlib.Path(partial))
        pathlib.Path(partial).write_text("new")

    path = write_whole(str(tmp_path / "a" / "b.txt"), save)
    assert path.read_text() == "new"
    assert seen[0] != path and seen[0].suffix == ".txt"
    assert list(path.parent.iterdir()) == [path]


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
