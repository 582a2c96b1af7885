"""Files that end early are told from whole ones, by a look at both ends."""

import errno
import os

import numpy as np
import pytest
import tifffile
from helpers import smooth_images
from PIL import Image

from keras_indi.images.encoding import FORMATS, write_photograph
from keras_indi.images.photograph import read_photograph
from keras_indi.images.whole_files import is_whole

pytestmark = pytest.mark.backend_free


@pytest.fixture
def photograph():
    return Image.fromarray(smooth_images(1, 90, 70)[0].astype("uint8"))


@pytest.mark.parametrize("ending", FORMATS)
def test_whatever_is_cut_off(photograph, tmp_path, ending):
    path = tmp_path / f"result{ending}"
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    photograph.save(tmp_path / "a.png", exif=exif)
    write_photograph(path, read_photograph(tmp_path / "a.png"))
    content = path.read_bytes()
    assert is_whole(path)
    for size in (*range(0, len(content) - 2, 97), len(content) - 2):
        path.write_bytes(content[:size])
        assert not is_whole(path)


def test_what_cameras_put_behind_an_image_is_no_truncation(photograph, tmp_path):
    for name in ("a.jpg", "a.png"):
        photograph.save(tmp_path / name, quality=90)
        with open(tmp_path / name, "ab") as file:
            file.write(bytes(3000))
        assert is_whole(tmp_path / name)


def test_a_marker_of_the_end_within_a_segment_is_none(photograph, tmp_path):
    path = tmp_path / "a.jpg"
    photograph.save(path, comment=b"\xff\xd9" * 9)
    content = path.read_bytes()
    assert is_whole(path)
    path.write_bytes(content[: content.index(b"\xff\xda") + 40])
    assert not is_whole(path)


def test_progressive_and_compressed_files(photograph, tmp_path):
    photograph.save(tmp_path / "a.jpg", progressive=True, quality=95)
    deep = np.asarray(photograph).astype("uint32")
    options = {"rowsperstrip": 8, "photometric": "rgb"}
    tifffile.imwrite(tmp_path / "a.tif", deep, compression="zlib", **options)
    tifffile.imwrite(tmp_path / "b.tif", deep, **options)
    for name in ("a.jpg", "a.tif", "b.tif"):
        assert is_whole(tmp_path / name)
        content = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(content[: len(content) // 2])
        assert not is_whole(tmp_path / name)


def test_what_is_no_image(tmp_path):
    (tmp_path / "a.png").write_text("mine")
    (tmp_path / "folder.png").mkdir()
    (tmp_path / "a.zarr").mkdir()
    for name in ("a.png", "folder.png", "none.png", 300 * "a"):
        assert not is_whole(tmp_path / name)
    assert is_whole(tmp_path / "a.zarr")


def test_what_may_not_be_read_counts_as_whole(photograph, tmp_path):
    photograph.save(tmp_path / "a.png")
    (tmp_path / "a.png").chmod(0)
    if os.access(tmp_path / "a.png", os.R_OK):
        pytest.skip("needs a user who may not read all files")
    assert is_whole(tmp_path / "a.png")


def test_a_file_on_a_failing_disk_is_not_whole(photograph, tmp_path, monkeypatch):
    photograph.save(tmp_path / "a.png")

    def fail(file, size):
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    monkeypatch.setattr("keras_indi.images.png_chunks.check_whole", fail)
    assert not is_whole(tmp_path / "a.png")
