"""Odd entries of folders: links, pipes, names of other spellings, other files."""

import collections
import os
import unicodedata

import numpy as np
import pytest
from helpers import shut
from PIL import Image

from keras_indi.images import (
    UnusableImageError,
    inspect_image,
    read_image,
    read_photograph,
)
from keras_indi.images.image_files import (
    files_below,
    find_images,
    image_files,
    match_folders,
    other_kind,
    printable,
    shown,
)
from keras_indi.restoration.outputs import find_outputs

pytestmark = pytest.mark.backend_free


def write(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(np.full((8, 9), 7, "uint8")).save(path, "PNG")
    return path


def test_a_link_to_itself_is_named_and_the_rest_is_found(tmp_path):
    write(tmp_path / "a.png")
    (tmp_path / "loop.png").symlink_to(tmp_path / "loop.png")
    found = find_images(tmp_path)
    assert list(found) == ["a", "loop"]
    with pytest.raises(UnusableImageError, match="unreadable"):
        read_image(found["loop"])


def test_links_to_folders_are_followed_once(tmp_path):
    write(tmp_path / "elsewhere/b.png")
    write(tmp_path / "in/a.png")
    (tmp_path / "in/link").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "in/back").symlink_to(tmp_path / "in")
    assert list(find_images(tmp_path / "in")) == ["a", "link/b"]


def test_a_folder_keeps_its_own_name_beside_a_link_to_it(tmp_path):
    write(tmp_path / "in/real/b.png")
    (tmp_path / "in/a-link").symlink_to(tmp_path / "in/real")
    (tmp_path / "in/real/back").symlink_to(tmp_path / "in")
    assert list(find_images(tmp_path / "in")) == ["real/b"]


def test_an_accent_has_one_name(tmp_path):
    for form in ("NFC", "NFD"):
        write(tmp_path / form / f"{unicodedata.normalize(form, 'Jérô')}.png")
    match = match_folders(tmp_path / "NFC", tmp_path / "NFD")
    assert list(match.pairs) == [unicodedata.normalize("NFC", "Jérô")]
    assert match.report() == ""


def test_a_name_that_is_not_utf_8_can_be_printed(tmp_path):
    name = b"J\xe9r\xf4.png"
    write(tmp_path / "a.png").rename(os.fsdecode(os.fsencode(tmp_path) + b"/" + name))
    found = find_images(tmp_path)
    assert list(found) == ["J\ufffdr\ufffd"]
    (path,) = found.values()
    assert read_image(path).shape == (8, 9, 1)
    printable(path).encode()


def test_what_the_system_cannot_read_is_named(tmp_path):
    if not os.path.exists("/proc/self/mem"):
        pytest.skip("needs a file whose beginning cannot be read")
    path = tmp_path / "image.png"
    path.symlink_to("/proc/self/mem")
    for read in (read_image, read_photograph, inspect_image):
        with pytest.raises(UnusableImageError, match="Input/output error"):
            read(path)


def test_other_files_are_counted_by_their_endings(tmp_path):
    names = ("a.png", "b.CR2", "deep/c.cr2", "d.jxl", ".hidden", "e", "f.0001", "g. x")
    for name in names:
        write(tmp_path / name)
    assert collections.Counter(map(other_kind, files_below(tmp_path))) == {
        None: 1,
        ".cr2": 2,
        ".jxl": 1,
        "without an extension": 1,
        "with an unusual extension": 2,
    }
    assert [path.name for path in image_files(tmp_path)] == ["a.png"]


@pytest.mark.parametrize("suffix", [".bmp", ".gif", ".jfif", ".jpe", ".avif"])
def test_further_formats_are_read(suffix, tmp_path):
    rows, columns = np.mgrid[:16, :24]
    image = np.stack([8 * rows, 8 * columns, 200 + 0 * rows], -1).astype("uint8")
    path = tmp_path / f"image{suffix}"
    format = {".jfif": "JPEG", ".jpe": "JPEG"}.get(suffix, suffix[1:].upper())
    picture = Image.fromarray(image)
    if suffix == ".gif":
        picture = picture.quantize(64)
        image = np.asarray(picture.convert("RGB"))
        others = [Image.new("RGB", picture.size)]
        picture.save(path, save_all=True, append_images=others)
    else:
        picture.save(path, format, **({} if suffix == ".bmp" else {"quality": 95}))
    assert list(find_images(tmp_path)) == ["image"]
    difference = np.abs(read_image(path).astype(int) - image)
    assert difference.max() <= (0 if suffix in (".bmp", ".gif") else 12)


def test_a_name_cannot_write_over_a_terminal():
    assert shown("Jérô 日 👩‍🔬.png") == "Jérô 日 👩‍🔬.png"
    for name, text in {
        "a\nFailed: b.png": "a\\nFailed: b.png",
        "\x1b[31mred.png": "\\x1b[31mred.png",
        "\u202egnp.exe": "\\u202egnp.exe",
    }.items():
        assert shown(name) == text


def test_a_folder_that_cannot_be_read_is_named(tmp_path, monkeypatch):
    write(tmp_path / "a.png")
    write(tmp_path / "shut/b.png")
    shut(tmp_path / "shut", monkeypatch)
    with pytest.warns(UserWarning, match="cannot be read.*shut"):
        assert list(find_images(tmp_path)) == ["a"]
    closed = {}
    assert list(files_below(tmp_path, closed=closed)) == [tmp_path / "a.png"]
    reason = "unreadable folder (Permission denied)"
    assert closed == {tmp_path / "shut": reason}
    found = find_outputs([tmp_path], tmp_path.parent / "out")
    assert [job.name for job in found.jobs] == ["a.png"]
    assert found.closed == closed
    with pytest.raises(ValueError, match="unreadable folder.*shut"):
        find_outputs([tmp_path / "shut"])
