"""What replaces its own input holds all of it."""

import numpy as np
import pytest
import tifffile
from helpers import smooth_images, tiny_unet
from images.test_several_pictures import motion_photo, save
from PIL import Image

from keras_indi.images.encoding import write_png
from keras_indi.models import InDI
from keras_indi.restoration import one_file, restore_file, restore_files


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0)


def deep(path, channels):
    import cv2

    image = smooth_images(1, 13, 10, channels, high=65535)[0].astype("uint16")
    if channels == 3:
        write_png(path.with_suffix(".png"), image)
    else:
        cv2.imwrite(str(path.with_suffix(".png")), image)
    return path.with_suffix(".png").rename(path)


def test_files_of_several_pictures_are_refused_in_place(model, tmp_path):
    paths = [save(tmp_path / f"a.{ending}") for ending in ("tif", "webp", "png")]
    save(tmp_path / "b.jpg", 2, format="MPO")
    paths += [tmp_path / "b.jpg", motion_photo(tmp_path / "c.jpg")]
    single = save(tmp_path / "d.png", 1)
    before = {path: path.read_bytes() for path in (*paths, single)}
    result = restore_files(
        [*paths, single], tmp_path, model, num_steps=1, existing="overwrite"
    )
    assert result.written == [single] and list(result.failed) == paths
    for path in paths:
        assert "not written in its place" in result.failed[path]
        assert path.read_bytes() == before[path]
    assert single.read_bytes() != before[single]
    link = tmp_path / "link.png"
    link.symlink_to(paths[2])
    with pytest.raises(ValueError, match="3 pages or frames.*Received: .*a.png"):
        restore_file(model, paths[2], link, overwrite=True, num_steps=1)

    # Elsewhere each is written, with a note.
    result = restore_files(paths, tmp_path / "out", model, num_steps=1)
    assert len(result.written) == 5
    notes = [result.notes[path] for path in paths]
    assert all(note.startswith("the first of its 3 pages") for note in notes[:3])
    assert "the first of its 2 pictures" in notes[3]
    assert "without its video" in notes[4]


def test_so_is_what_a_wrong_ending_would_cost_bits_or_alpha(model, tmp_path):
    paths = [deep(tmp_path / "a.jpg", 4), deep(tmp_path / "b.webp", 3)]
    before = [path.read_bytes() for path in paths]
    result = restore_files(paths, tmp_path, model, num_steps=1, existing="overwrite")
    assert result.written == [] and list(result.failed) == paths
    assert all("bits or its alpha" in reason for reason in result.failed.values())
    assert [path.read_bytes() for path in paths] == before
    result = restore_files(paths, tmp_path / "out", model, num_steps=1)
    assert "JPEG has no alpha" in result.notes[paths[0]]
    assert len(result.written) == 2
    path = deep(tmp_path / "c.png", 4)
    old = path.read_bytes()
    restore_file(model, path, path, overwrite=True, num_steps=1)
    assert path.read_bytes() != old
    assert np.array(path.read_bytes()[24]) == 16  # bits


def test_so_is_a_channel_that_is_not_read(model, tmp_path):
    path = tmp_path / "a.tif"
    image = smooth_images(1, 13, 10, 4, high=255)[0].astype("uint8")
    tifffile.imwrite(path, image, photometric="rgb", extrasamples=["unspecified"])
    before = path.read_bytes()
    result = restore_files(path, tmp_path, model, num_steps=1, existing="overwrite")
    assert "1 extra channel left out" in result.failed[path]
    assert path.read_bytes() == before
    result = restore_files(path, tmp_path / "out", model, num_steps=1)
    assert result.notes[path] == "1 extra channel left out"


@pytest.mark.parametrize(
    "name, mode", [("a.jpg", "CMYK"), ("a.tif", "CMYK"), ("b.tif", "LAB")]
)
def test_so_are_colours_that_rgb_does_not_hold(model, tmp_path, name, mode):
    path = tmp_path / name
    Image.new(mode, (13, 10), (40, 130, 120, 10)[: len(mode)]).save(path)
    before = path.read_bytes()
    result = restore_files(path, tmp_path, model, num_steps=1, existing="overwrite")
    assert "became RGB" in result.failed[path]
    assert path.read_bytes() == before
    result = restore_files(path, tmp_path / "out", model, num_steps=1)
    assert "became RGB" in result.notes[path]


def test_so_are_they_of_a_file_that_is_restored_by_blocks(model, tmp_path, monkeypatch):
    monkeypatch.setattr(one_file, "is_by_blocks", lambda path, max_pixels: True)
    path = tmp_path / "a.tif"
    Image.new("CMYK", (13, 10), (40, 130, 120, 10)).save(path)
    before = path.read_bytes()
    result = restore_files(path, tmp_path, model, num_steps=1, existing="overwrite")
    assert "became RGB" in result.failed[path]
    assert path.read_bytes() == before


def test_what_is_a_jpeg_file_by_its_name_alone_becomes_one_with_a_note(model, tmp_path):
    image = smooth_images(1, 13, 10, high=255)[0].astype("uint8")
    write_png(tmp_path / "a.png", image)
    path = (tmp_path / "a.png").rename(tmp_path / "a.jpg")
    result = restore_files(path, tmp_path / "out", model, num_steps=1)
    assert result.notes == {
        path: "not a JPEG file but for its name, and written as one"
    }
    result = restore_files(path, tmp_path / "out.png", model, num_steps=1)
    assert result.notes == {}


def test_so_are_bits_that_are_not_decoded(model, tmp_path):
    pillow_heif = pytest.importorskip("pillow_heif", reason="needs pillow-heif")
    image = smooth_images(1, 16, 16, high=65535)[0].astype("uint16")
    path = tmp_path / "a.png"
    pillow_heif.encode("RGB;16", (16, 16), image.tobytes(), tmp_path / "a.heic")
    before = (tmp_path / "a.heic").rename(path).read_bytes()
    result = restore_files(path, tmp_path, model, num_steps=1, existing="overwrite")
    assert "its 10 bits became 8" in result.failed[path]
    assert path.read_bytes() == before
    result = restore_files(path, tmp_path / "out", model, num_steps=1)
    assert result.notes == {path: "its 10 bits became 8"}
