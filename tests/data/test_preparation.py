"""Cutting photographs into sub-images: all pixels, once, through interruptions."""

import os

import numpy as np
import pytest
from helpers import smooth_images
from hypothesis import given
from hypothesis import strategies as st

from keras_indi.data import prepare
from keras_indi.data.preparation import grid
from keras_indi.images.decoding import UnusableImageError, read_image
from keras_indi.images.encoding import write_png
from keras_indi.images.image_files import find_images, match_folders

pytestmark = pytest.mark.backend_free


def photograph(height, width, seed=0, dtype="uint8"):
    high = np.iinfo(dtype).max
    image = smooth_images(1, height, width, seed=seed, high=high)[0]
    return image.astype(dtype)


def cut(root, **options):
    arguments = {"size": 16, "overlap": 4, "verbose": 0, **options}
    return prepare(root / "clean", root / "out", **arguments)


def contents(folder):
    return {p.relative_to(folder): p.read_bytes() for p in folder.rglob("*.*")}


@given(st.integers(1, 200), st.integers(1, 60), st.integers(0, 59))
def test_the_grid_covers_the_whole(length, size, overlap):
    overlap = min(overlap, size - 1)
    starts = grid(length, size, size - overlap)
    assert starts[0] == 0 and starts[-1] == max(0, length - size)
    steps = np.diff(starts)
    assert np.all(steps > 0) and np.all(steps <= size - overlap)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_sub_images_are_the_photographs_pixels(dtype, tmp_path):
    image = photograph(40, 50, dtype=dtype)
    write_png(tmp_path / "clean" / "sub" / "a.png", image)
    small = photograph(10, 50, seed=1, dtype=dtype)
    write_png(tmp_path / "clean" / "b.png", small)
    result = cut(tmp_path)
    found = find_images(tmp_path / "out")
    assert result.written == len(found) == 3 * 4 + 4 and not result.failed
    for name, path in found.items():
        whole = small if name.startswith("b") else image
        top, left = (int(part[1:]) for part in name.split("_")[1:])
        expected = whole[top : top + 16, left : left + 16]
        np.testing.assert_array_equal(read_image(path), expected)
    assert {name.split("_")[0] for name in found} == {"sub/a", "b"}


def test_pairs_stay_pairs_where_the_clean_one_is_larger(tmp_path):
    degraded = photograph(20, 26)
    clean = np.kron(degraded, np.ones((2, 2, 1), "uint8"))
    write_png(tmp_path / "clean" / "a.png", clean)
    write_png(tmp_path / "degraded" / "a.png", degraded)
    write_png(tmp_path / "degraded" / "alone.png", degraded)
    result = cut(tmp_path, degraded_dir=tmp_path / "degraded")
    assert list(result.failed.values()) == ["without a partner"]
    match = match_folders(tmp_path / "out" / "degraded", tmp_path / "out" / "clean")
    assert len(match.pairs) == 3 * 4 and not match.report()
    assert result.written == 2 * len(match.pairs)
    for small, large in match.pairs.values():
        small, large = read_image(small), read_image(large)
        assert large.shape == (16, 16, 3)
        np.testing.assert_array_equal(np.kron(small, np.ones((2, 2, 1))), large)


def test_what_is_there_is_not_made_again(tmp_path):
    write_png(tmp_path / "clean" / "a.png", photograph(20, 20))
    first = cut(tmp_path)
    before = {path: os.stat(path).st_mtime_ns for path in tmp_path.rglob("*_*.png")}
    second = cut(tmp_path)
    assert (first.written, first.present) == (4, 0)
    assert (second.written, second.present) == (0, 4)
    assert all(os.stat(path).st_mtime_ns == time for path, time in before.items())
    missing = next(iter(before))
    missing.unlink()
    assert cut(tmp_path).written == 1
    # A photograph that was replaced is cut again.
    path = tmp_path / "clean" / "a.png"
    write_png(path, photograph(20, 20, seed=1))
    newest = max(before.values()) + 10**9
    os.utime(path, ns=(newest, newest))
    assert cut(tmp_path).written == 4


@pytest.mark.parametrize("writes", [0, 1, 5])
def test_an_interrupted_run_goes_on(writes, tmp_path, monkeypatch):
    for name in "ab":
        write_png(tmp_path / "clean" / f"{name}.png", photograph(24, 24))
    cut(tmp_path)
    expected = contents(tmp_path / "out")
    for path in (tmp_path / "out").rglob("*"):
        path.unlink()

    replace, done = os.replace, []

    def interrupted(source, target):
        if str(target).endswith(".png"):
            if len(done) == writes:
                raise KeyboardInterrupt
            done.append(target)
        replace(source, target)

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        cut(tmp_path, num_workers=1)
    monkeypatch.undo()
    left = contents(tmp_path / "out")
    assert len(left) == writes + 1 and left.items() <= expected.items()
    result = cut(tmp_path)
    assert result.present == writes
    assert contents(tmp_path / "out") == expected


def test_a_bad_file_does_not_end_the_run(tmp_path):
    for name in "abc":
        write_png(tmp_path / "clean" / f"{name}.png", photograph(24, 24))
    bad = tmp_path / "clean" / "b.png"
    bad.write_bytes(bad.read_bytes()[:-50])
    result = cut(tmp_path)
    assert list(result.failed) == ["b"] and "truncated" in result.failed["b"]
    assert result.written == 2 * 4
    with pytest.raises(UnusableImageError):
        read_image(bad)


def test_bad_arguments_leave_nothing(tmp_path):
    write_png(tmp_path / "clean" / "a.png", photograph(24, 24))
    with pytest.raises(ValueError, match="Received: size=16, overlap=16"):
        cut(tmp_path, overlap=16)
    for name, value in (("size", 8.5), ("overlap", -1), ("num_workers", -1)):
        with pytest.raises(ValueError, match=f"Received: {name}={value}"):
            cut(tmp_path, **{name: value})
    with pytest.raises(ValueError, match="must not be inside a folder of images"):
        prepare(tmp_path / "clean", tmp_path / "clean" / "out", verbose=0)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match="must be images.*Received: clean_dir="):
        prepare(tmp_path / "empty", tmp_path / "out", verbose=0)
    assert not (tmp_path / "out").exists()


def test_other_settings_are_refused(tmp_path):
    write_png(tmp_path / "clean" / "a.png", photograph(24, 24))
    cut(tmp_path)
    with pytest.raises(ValueError, match="other settings.*'size': 16.*Received:"):
        cut(tmp_path, size=20)
