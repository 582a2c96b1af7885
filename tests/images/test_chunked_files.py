"""TIFF, Zarr and OME-Zarr, read and written by blocks."""

import json
import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from helpers import smooth_images
from images.stored_images import IMAGE, tifffile, written, zarr
from PIL import Image, ImageCms

from keras_indi.images import UnusableImageError, chunked_files
from keras_indi.images.whole_writes import is_left_over, remove_left_overs


@pytest.mark.backend_free
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("name", ["image.tif", "image.zarr", "image.ome.zarr"])
def test_what_is_written_is_read_again(tmp_path, dtype, channels, name):
    image = smooth_images(1, 259, 300, channels)[0].astype(dtype)
    chunked_files.write(tmp_path / name, image, {})
    with chunked_files.opened(tmp_path / name) as found:
        assert found.shape == image.shape and found.dtype == dtype
        np.testing.assert_array_equal(found[:], image)
        np.testing.assert_array_equal(found[255:, 3:9], image[255:, 3:9])
    if name.endswith(".tif"):
        plain = tifffile.imread(tmp_path / name)
        np.testing.assert_array_equal(plain.reshape(image.shape), image)
        assert tifffile.TiffFile(tmp_path / name).pages[0].is_tiled


@pytest.mark.backend_free
def test_what_a_tiff_says_of_itself_is_kept(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    xmp, iptc = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>", b"\x1c\x02P\0\x04anna"
    texts = {270: "Jérôme", 271: "Maker", 315: "Anna", 33432: "Anna, 2026"}
    tifffile.imwrite(
        tmp_path / "a.tif",
        IMAGE,
        photometric="rgb",
        iccprofile=profile,
        resolution=(300, 300),
        resolutionunit="inch",
        metadata=None,
        extratags=[
            (274, "H", 1, 6, True),
            (700, 1, len(xmp), xmp, True),
            (33723, 7, len(iptc), iptc, True),
            *((tag, 2, 0, text.encode() + b"\0", True) for tag, text in texts.items()),
        ],
    )
    with chunked_files.opened(tmp_path / "a.tif") as image:
        assert chunked_files.write(tmp_path / "b.tif", image, image.metadata) == []
        lost = chunked_files.write(tmp_path / "b.zarr", image, image.metadata)
    assert lost == ["not kept in Zarr: EXIF, pixel density, XMP, IPTC, colour profile"]
    page = tifffile.TiffFile(tmp_path / "b.tif").pages[0]
    assert page.iccprofile == profile
    assert page.get_resolution("inch") == (300, 300)
    assert page.tags[274].value == 6
    assert page.tags[700].value == xmp and bytes(page.tags[33723].value) == iptc
    raw = (tmp_path / "b.tif").read_bytes()
    for tag, text in texts.items():
        place = page.tags[tag].valueoffset
        assert raw[place : place + len(text.encode()) + 1] == text.encode() + b"\0"


@pytest.mark.backend_free
def test_the_exposure_and_the_place_go_by_blocks(tmp_path):
    exif = Image.Exif()
    exif[0x8769] = {0x829A: 0.01, 0x9003: "2026:01:02 03:04:05"}
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.5)}
    Image.fromarray(IMAGE).save(tmp_path / "a.tif", exif=exif.tobytes())
    with chunked_files.opened(tmp_path / "a.tif") as image:
        assert chunked_files.write(tmp_path / "b.tif", image, image.metadata) == []
    with Image.open(tmp_path / "b.tif") as written:
        np.testing.assert_array_equal(np.asarray(written), IMAGE)
        tags = written.getexif()
        assert tags.get_ifd(0x8769) == {0x829A: 0.01, 0x9003: "2026:01:02 03:04:05"}
        assert tags.get_ifd(0x8825) == {1: "N", 2: (48.0, 8.0, 14.5)}


@pytest.mark.backend_free
def test_a_profile_of_other_colours_is_left_out(tmp_path):
    # The pixels became RGB.
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    tifffile.imwrite(
        tmp_path / "a.tif",
        np.full((20, 30, 4), 90, "uint8"),
        photometric="separated",
        iccprofile=profile,
    )
    with chunked_files.opened(tmp_path / "a.tif") as image:
        assert image.shape == (20, 30, 3)
        chunked_files.write(tmp_path / "b.tif", image, image.metadata)
    assert tifffile.TiffFile(tmp_path / "b.tif").pages[0].iccprofile is None


@pytest.mark.backend_free
@pytest.mark.parametrize("kind", ["shaped", "imagej", "ome"])
def test_descriptions_of_how_a_tiff_is_stored_are_not_the_results(tmp_path, kind):
    planes = np.moveaxis(IMAGE, -1, 0)
    options = {} if kind == "shaped" else {kind: True}
    options["metadata"] = {"axes": "CYX"}
    tifffile.imwrite(tmp_path / "a.tif", planes, photometric="minisblack", **options)
    with chunked_files.opened(tmp_path / "a.tif") as image:
        chunked_files.write(tmp_path / "b.tif", image, image.metadata)
    page = tifffile.TiffFile(tmp_path / "b.tif").pages[0]
    assert 270 not in page.tags
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif"), IMAGE)


@pytest.mark.backend_free
def test_the_pixels_size_of_an_ome_zarr_is_kept(tmp_path):
    with chunked_files.opened(written(tmp_path, "ome.zarr")) as image:
        chunked_files.write(tmp_path / "b.ome.zarr", image, image.metadata)
    attributes = zarr.open_group(tmp_path / "b.ome.zarr", mode="r").attrs["ome"]
    scales = attributes["multiscales"][0]
    assert [axis["name"] for axis in scales["axes"]] == ["c", "y", "x"]
    assert [axis.get("unit") for axis in scales["axes"]] == [None, "um", "um"]
    (transformation,) = scales["datasets"][0]["coordinateTransformations"]
    assert transformation["scale"] == [1.0, 0.25, 0.5]


@pytest.mark.backend_free
@pytest.mark.parametrize("name", ["out.tif", "out.zarr", "out.ome.zarr"])
def test_an_error_while_writing_leaves_nothing(tmp_path, name):
    class Failing:
        shape, dtype = (2000, 277, 3), np.dtype("uint8")

        def __getitem__(self, rows):
            if rows.start > 0:
                raise RuntimeError("in the middle")
            return np.zeros(self.shape, self.dtype)[rows]

    with pytest.raises(RuntimeError, match="in the middle"):
        chunked_files.write(tmp_path / name, Failing(), {})
    assert list(tmp_path.iterdir()) == []


KILLED = """
import sys, time
import numpy as np
from keras_indi.images import chunked_files
from keras_indi.images.whole_writes import is_left_over, remove_left_overs

class Slow:
    shape, dtype = (4096, 300, 3), np.dtype("uint8")

    def __getitem__(self, rows):
        print("block", flush=True)
        time.sleep(0.2)
        return np.zeros(self.shape, self.dtype)[rows]

chunked_files.write(sys.argv[1], Slow(), {})
"""


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no kill -9 here")
@pytest.mark.parametrize("name", ["out.tif", "out.zarr"])
def test_a_process_killed_in_the_middle_leaves_no_output(tmp_path, name):
    target = tmp_path / name
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(target)],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])},
    )
    for _ in range(3):
        process.stdout.readline()
    process.send_signal(signal.SIGKILL)
    process.wait()
    assert not target.exists()
    assert all(is_left_over(path) for path in tmp_path.iterdir())
    # What it left is in nobody's way.
    chunked_files.write(target, IMAGE, {})
    with chunked_files.opened(target) as image:
        np.testing.assert_array_equal(image[:], IMAGE)
    assert [path.name for path in tmp_path.glob("[!.]*")] == [name]
    remove_left_overs(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == [name]


DAMAGE = {
    "metadata is no JSON": lambda path: _write(path, b"{"),
    "metadata is no object": lambda path: _write(path, b"[1]"),
    "metadata is empty": lambda path: _write(path, b""),
    "metadata is not UTF-8": lambda path: _write(path, b"\xff\xfe"),
    "no shape": lambda path: _change(path, shape=None),
    "a shape of text": lambda path: _change(path, shape="large"),
    "a negative shape": lambda path: _change(path, shape=[-1, 4, 3]),
    "an unknown type": lambda path: _change(path, data_type="complicated"),
    "unknown codecs": lambda path: _change(path, codecs=[{"name": "magic"}]),
    "no chunks": lambda path: _change(path, chunk_grid={}),
    "an unknown kind": lambda path: _change(path, node_type="tree"),
    "axes of other names": lambda path: _change(path, dimension_names=[1, 2]),
}


def _write(path, content):
    (path / "zarr.json").write_bytes(content)


def _change(path, **values):
    settings = json.loads((path / "zarr.json").read_text())
    (path / "zarr.json").write_text(json.dumps({**settings, **values}))


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_broken_zarr_is_refused(damage, tmp_path):
    path = written(tmp_path, "zarr")
    DAMAGE[damage](path)
    with pytest.raises(UnusableImageError):
        with chunked_files.opened(path) as view:
            view[:8]


def test_a_broken_chunk_is_refused(tmp_path):
    path = written(tmp_path, "zarr")
    for file in (path / "c").rglob("*"):
        if file.is_file():
            file.write_bytes(b"no chunk")
    with chunked_files.opened(path) as view:
        with pytest.raises(UnusableImageError, match="truncated or damaged"):
            view[:8]


def test_a_pyramid_in_a_tiff_page_is_read_at_its_full_size(tmp_path):
    path = tmp_path / "slide.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(IMAGE, photometric="rgb", tile=(64, 64), subifds=1)
        file.write(IMAGE[::2, ::2], photometric="rgb", subfiletype=1, tile=(64, 64))
    with chunked_files.opened(path) as view:
        assert view.shape == IMAGE.shape
        np.testing.assert_array_equal(view[10:70, 5:99], IMAGE[10:70, 5:99])


def test_what_is_no_size_in_an_ome_zarr_is_passed_over(tmp_path):
    source, out = written(tmp_path, "ome.zarr"), tmp_path / "out.ome.zarr"
    group = zarr.open_group(source)
    (scales,) = group.attrs["multiscales"]
    (change,) = scales["datasets"][0]["coordinateTransformations"]
    change["scale"] = [1.0, "a", None, float("inf"), 0.5]
    group.attrs["multiscales"] = [scales]
    with chunked_files.opened(source) as image:
        metadata = chunked_files.enlarged(image.metadata, 2, (0, 0))
        chunked_files.write(out, image[:], metadata)
    (scales,) = zarr.open_group(out, mode="r").attrs["ome"]["multiscales"]
    (change,) = scales["datasets"][0]["coordinateTransformations"]
    assert change["scale"] == [1.0, 1.0, 0.25]
