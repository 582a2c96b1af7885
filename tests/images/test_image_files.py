"""Finding and matching image files in folders."""

import pathlib

import numpy as np
import pytest

from keras_indi.images.decoding import UnusableImageError
from keras_indi.images.encoding import write_png
from keras_indi.images.image_files import ImageFiles, find_images, listed, match_folders
from keras_indi.images.whole_writes import write_whole

pytestmark = pytest.mark.backend_free


def make(folder, *names):
    for number, name in enumerate(names):
        image = np.full((4, 6, 3), number, "uint8")
        write_png(folder / f"{name}.png", image)


def test_trees_match_by_name_without_extension(tmp_path):
    make(tmp_path / "degraded", "a", "sub/a", "sub/deep/b", "alone")
    make(tmp_path / "clean", "a", "sub/a", "sub/deep/b", "lonely")
    (tmp_path / "clean" / "a.png").rename(tmp_path / "clean" / "a.jpeg")
    match = match_folders(tmp_path / "degraded", tmp_path / "clean")
    assert list(match.pairs) == ["a", "sub/a", "sub/deep/b"]
    degraded, clean = match.pairs["a"]
    assert (degraded.name, clean.name) == ("a.png", "a.jpeg")
    assert list(match.only_degraded) == ["alone"]
    assert list(match.only_clean) == ["lonely"]
    assert match.report() == (
        "3 pairs; 1 degraded without a partner (alone), "
        "1 clean without a partner (lonely)"
    )


def test_a_full_match_reports_nothing(tmp_path):
    make(tmp_path, "a")
    assert match_folders(tmp_path, tmp_path).report() == ""


def test_what_is_no_image_is_passed_over(tmp_path):
    make(tmp_path, "a", ".hidden/b")
    (tmp_path / "notes.txt").write_text("")
    (tmp_path / "folder.png").mkdir()
    assert list(find_images(tmp_path)) == ["a"]


def test_a_partial_eclipse_is_a_photograph(tmp_path):
    make(tmp_path, "eclipse", "partial-eclipse", "partial-day/b")
    names = ["eclipse", "partial-day/b", "partial-eclipse"]
    assert list(find_images(tmp_path)) == names
    assert list(match_folders(tmp_path, tmp_path).pairs) == names


def test_what_a_killed_writer_left_is_passed_over(tmp_path):
    make(tmp_path, "a")

    def killed(partial):
        make(tmp_path, pathlib.Path(partial).stem)
        assert list(find_images(tmp_path)) == ["a"]

    write_whole(tmp_path / "b.png", killed)
    assert list(find_images(tmp_path)) == ["a", "b"]


def test_one_name_twice_is_refused(tmp_path):
    make(tmp_path, "a")
    (tmp_path / "a.jpg").write_bytes((tmp_path / "a.png").read_bytes())
    with pytest.raises(ValueError, match=r"same name.*a\.jpg.*a\.png"):
        find_images(tmp_path)


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(ValueError, match="Folder not found. Received: .*missing"):
        find_images(tmp_path / "missing")


def test_long_lists_are_cut():
    assert listed("abc", 3) == "a, b, c"
    assert listed("abcde", 3) == "a, b, c and 2 more"


def test_the_cache_holds_what_fits(tmp_path):
    make(tmp_path, "a", "b")
    files = find_images(tmp_path)
    cached = ImageFiles(files, cache_bytes=4 * 6 * 3)
    for _ in range(2):
        assert [image.max() for image in cached] == [0, 1]
    (tmp_path / "a.png").unlink()
    (tmp_path / "b.png").unlink()
    assert cached[0].shape == (4, 6, 3)  # the first came first
    with pytest.raises(UnusableImageError):
        cached[1]
