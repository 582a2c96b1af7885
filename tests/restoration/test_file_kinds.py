"""Kinds of files, names and sizes that restoring files must know."""

import os

import numpy as np
import pytest
import tifffile
from helpers import small_network, smooth_images, tiny_unet
from PIL import Image

from keras_indi.images.unusable import UnusableImageError
from keras_indi.models import InDI
from keras_indi.restoration import (
    one_file,
    outputs,
    restore_file,
    restore_files,
)


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0)


def write(path, **options):
    image = smooth_images(1, 13, 10)[0].astype("uint8")
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(image).save(path, **options)
    return path


def test_what_is_not_written_becomes_png_and_the_rest_is_counted(model, tmp_path):
    write(tmp_path / "in/a.bmp")
    write(tmp_path / "in/b.jfif", format="JPEG")
    (tmp_path / "in/c.cr2").write_bytes(b"")
    result = restore_files(tmp_path / "in", tmp_path / "out", model, num_steps=1)
    assert [path.name for path in result.written] == ["a.png", "b.jfif"]
    assert result.left_out == {".cr2": 1}
    assert "ignored: 1 .cr2" in result.report()


def test_names_and_dates(model, tmp_path):
    path = write(tmp_path / "a.png")
    os.utime(path, (10**9, 10**9))
    result = restore_files(path, None, model, num_steps=1, name="{name}_x4")
    assert result.written == [tmp_path / "a_x4.png"]
    assert os.stat(tmp_path / "a_x4.png").st_mtime == 10**9
    for name in ("x4", "deep/{name}"):
        with pytest.raises(ValueError, match="Received: name="):
            restore_files(path, None, model, name=name)


@pytest.mark.parametrize("name", ["-", "x.dng", "x.heic", "x.jxl", "x.bmp"])
def test_endings_that_are_not_written_are_refused(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "a.png")
    with pytest.raises(ValueError, match="Images are written as"):
        outputs.find_outputs(["a.png"], name)
    assert os.listdir() == ["a.png"]


def test_folders_with_brackets_are_no_patterns(tmp_path):
    write(tmp_path / "trip [2020]/a.png")
    jobs, *_ = outputs.find_outputs([tmp_path / "trip [2020]/*.png"], tmp_path / "out")
    assert [job.source.name for job in jobs] == ["a.png"]


def test_read_only_outputs_are_refused_first(tmp_path, monkeypatch):
    path = write(tmp_path / "a.png")
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ValueError, match="cannot be written"):
        outputs.find_outputs([path], tmp_path / "file/deep")
    monkeypatch.setattr(os, "access", lambda *_: False)
    with pytest.raises(ValueError, match="read-only"):
        outputs.find_outputs([path], tmp_path / "out")


def test_sizes_that_a_format_cannot_hold_are_refused_first(
    model, tmp_path, monkeypatch
):
    path = tmp_path / "wide.png"
    Image.new("L", (20_000, 1)).save(path)
    monkeypatch.setattr(one_file, "restore_pixels", None)  # nothing computes
    with pytest.raises(UnusableImageError, match="WEBP holds at most 16383"):
        restore_file(model, path, tmp_path / "wide.webp")
    result = restore_files(path, tmp_path / "wide.webp", model)
    assert "WEBP holds at most 16383" in result.failed[path]


def test_large_photographs_are_restored_through_the_disk(model, tmp_path, monkeypatch):
    path = write(tmp_path / "a.png")
    expected = restore_files(path, tmp_path / "b.png", model, num_steps=2)
    monkeypatch.setattr(one_file, "MAX_PIXELS", 100)
    monkeypatch.setattr(one_file, "restore_pixels", None)
    found = restore_files(path, tmp_path / "c.png", model, num_steps=2)
    assert found.failed == {} and expected.failed == {}
    images = [
        np.asarray(Image.open(tmp_path / n)).astype(int) for n in ("b.png", "c.png")
    ]
    assert np.abs(images[0] - images[1]).max() <= 1
    assert np.any(images[0] != np.asarray(Image.open(path)))
    result = restore_files(path, tmp_path / "d.png", model, max_pixels=99)
    assert "max_pixels=99" in result.failed[path]


def test_floats_are_restored_in_the_range_that_is_given(model, tmp_path):
    image = smooth_images(1, 13, 10)[0]
    path, unit = tmp_path / "a.tif", tmp_path / "unit.tif"
    tifffile.imwrite(path, image, photometric="rgb")
    tifffile.imwrite(unit, image / np.float32(255), photometric="rgb")
    options = {"num_steps": 2, "seed": 1}
    with pytest.raises(UnusableImageError, match="float values .* Received: .*a.tif"):
        restore_file(model, path, tmp_path / "b.tif", **options)
    expected = np.clip(model.restore(image, **options), 0, 255)
    restore_file(model, path, tmp_path / "b.tif", value_range=(0, 255), **options)
    restore_file(model, unit, tmp_path / "c.tif", **options)
    for name, scale in (("b.tif", 1), ("c.tif", 255)):
        found = tifffile.imread(tmp_path / name)
        assert found.dtype == "float32"
        np.testing.assert_allclose(scale * found, expected, atol=2e-3)
    with pytest.warns(UserWarning, match=r"clipped to \[0, 1\]"):
        restore_file(model, path, tmp_path / "d.tif", clip=True, **options)
    with pytest.raises(ValueError, match="Received: "):
        restore_file(model, path, tmp_path / "e.tif", value_range=(1, 0))


def test_a_path_is_no_image(model):
    with pytest.raises(ValueError, match="restore_file.*Received: images='photo.jpg'"):
        model.restore("photo.jpg")


def test_the_networks_own_reason_is_named(tmp_path):
    wrong = InDI(small_network(channels=4), seed=0)
    path = write(tmp_path / "a.png")
    result = restore_files(path, tmp_path / "b.png", wrong, num_steps=1)
    assert "Exception encountered" not in result.failed[path]
    assert "\x1b" not in result.failed[path] and "4" in result.failed[path]


def test_grey_through_a_network_of_ones_own(tmp_path):
    image = smooth_images(1, 12, 10, 1)[0].astype("uint8")
    Image.fromarray(image[..., 0]).save(tmp_path / "a.png")
    own = InDI(small_network(), seed=0)
    result = restore_files(tmp_path / "a.png", tmp_path / "b.png", own, num_steps=2)
    assert result.failed == {}
    as_rgb = own.restore(np.repeat(image, 3, -1), 2)
    expected = as_rgb @ np.array([0.299, 0.587, 0.114])
    found = np.asarray(Image.open(tmp_path / "b.png"))
    np.testing.assert_allclose(found, expected, atol=1.01)
