"""What a file holds beside the picture that is read of it."""

import numpy as np
import pytest
from helpers import smooth_images
from PIL import Image

from keras_indi.images.several_pictures import other_pictures

pytestmark = pytest.mark.backend_free


def pictures(count):
    return [Image.fromarray(a) for a in smooth_images(count, 13, 10).astype("uint8")]


def save(path, count=3, **options):
    first, *others = pictures(count)
    options |= {"save_all": True, "append_images": others} if others else {}
    first.save(path, **options)
    return path


def motion_photo(path):
    save(path, 1)
    video = b"\x00\x00\x00\x18ftypmp42\x00\x00\x00\x00mp42isom" + bytes(1000)
    path.write_bytes(path.read_bytes() + video)
    return path


@pytest.mark.parametrize("ending", ["tif", "webp", "png"])
def test_pages_and_frames_are_counted(tmp_path, ending):
    path = save(tmp_path / f"a.{ending}")
    assert other_pictures(path) == "the first of its 3 pages or frames"
    assert other_pictures(save(tmp_path / f"b.{ending}", 1)) is None


def test_pictures_of_an_mpo_file_and_videos(tmp_path):
    path = tmp_path / "a.jpg"
    save(path, 2, format="MPO")
    assert other_pictures(path) == "the first of its 2 pictures"
    path = motion_photo(tmp_path / "b.jpg")
    assert other_pictures(path) == "the picture of a motion photo, without its video"
    assert other_pictures(save(tmp_path / "c.jpg", 1)) is None


def test_a_smaller_view_and_channels_in_pages_are_no_further_pictures(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    image = smooth_images(1, 40, 48)[0].astype("uint8")
    with tifffile.TiffWriter(tmp_path / "a.tif") as file:
        file.write(image, photometric="rgb")
        file.write(image[::2, ::2], photometric="rgb", subfiletype=1)
    assert other_pictures(tmp_path / "a.tif") is None
    channels = np.moveaxis(image, -1, 0)
    tifffile.imwrite(tmp_path / "b.tif", channels, metadata={"axes": "CYX"})
    assert other_pictures(tmp_path / "b.tif") is None
    with tifffile.TiffWriter(tmp_path / "c.tif") as file:
        file.write(image, photometric="rgb")
        file.write(image[:20], photometric="rgb")
    assert other_pictures(tmp_path / "c.tif") == "the first of its 2 pages or frames"


def test_what_cannot_be_read_is_another_ones_error(tmp_path):
    (tmp_path / "a.tif").write_bytes(b"II*\0torn")
    (tmp_path / "b.png").write_bytes(b"")
    (tmp_path / "c.zarr").mkdir()
    for name in ("a.tif", "b.png", "c.zarr", "missing.jpg"):
        assert other_pictures(tmp_path / name) is None


@pytest.mark.parametrize("ending", ["png", "jpg"])
def test_so_are_those_of_images_above_pillows_limit(tmp_path, ending, monkeypatch):
    format = {"jpg": "MPO"}.get(ending, ending)
    path = save(tmp_path / f"a.{ending}", 2, format=format)
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    assert other_pictures(path).startswith("the first of its 2 ")


def test_pictures_within_a_page_and_behind_a_thumbnail(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    image = smooth_images(1, 40, 48)[0].astype("uint8")
    path, two = tmp_path / "a.tif", "the first of its 2 pages or frames"
    with tifffile.TiffWriter(path) as file:  # as raw files of cameras have it
        file.write(image[::4, ::4], photometric="rgb", subfiletype=1, subifds=1)
        file.write(image, photometric="rgb")
    assert other_pictures(path) == two
    with tifffile.TiffWriter(path) as file:
        file.write(image[::4, ::4], photometric="rgb", subfiletype=1)
        file.write(image, photometric="rgb")
    assert other_pictures(path) == two
    with tifffile.TiffWriter(path) as file:
        file.write(image, photometric="rgb", subifds=1)
        file.write(image[::2, ::2], photometric="rgb", subfiletype=1)
    assert other_pictures(path) is None


def test_layers_of_a_tiff(tmp_path):
    tifffile = pytest.importorskip("tifffile")
    image = smooth_images(1, 40, 48)[0].astype("uint8")
    path = tmp_path / "a.tif"
    layers = (37724, "B", 5, b"Adobe", True)
    tifffile.imwrite(path, image, photometric="rgb", extratags=[layers])
    assert other_pictures(path) == "the picture without its layers"


@pytest.mark.parametrize("ending", ["jpg", "png", "webp"])
@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"comment": b"\xd9"}])
def test_what_stands_behind_the_picture(tmp_path, ending, options):
    path = save(tmp_path / f"a.{ending}", 1, **options if ending == "jpg" else {})
    content = path.read_bytes()
    path.write_bytes(content + bytes(100))  # padding
    assert other_pictures(path) is None
    behind = save(tmp_path / f"b.{ending}", 1).read_bytes()
    path.write_bytes(content + behind)
    size = len(behind)
    assert other_pictures(path) == f"the picture without the {size} bytes behind it"


def test_a_thumbnail_within_a_jpeg_is_not_behind_it(tmp_path):
    path = tmp_path / "a.jpg"
    thumbnail = save(tmp_path / "b.jpg", 1).read_bytes()
    save(path, 1, extra=b"\xff\xe4" + (len(thumbnail) + 2).to_bytes(2) + thumbnail)
    assert other_pictures(path) is None
