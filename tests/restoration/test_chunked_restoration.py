"""`restore_file`, and the formats that it reads and writes."""

import os
import pathlib
import signal
import subprocess
import sys

import numpy as np
import pytest
from helpers import smooth_images, tiny_unet

from keras_indi.images import chunked_files
from keras_indi.models import InDI
from keras_indi.restoration import restore_file

tifffile = pytest.importorskip("tifffile")
zarr = pytest.importorskip("zarr")

IMAGE = smooth_images(1, 301, 277)[0].astype("uint8")


@pytest.fixture(scope="module")
def model():
    unet = tiny_unet(channel_multipliers=(1, 1), gain=0.8, condition_on_degraded=True)
    return InDI(unet, noise_schedule=0.02)


def written(folder, kind, image=IMAGE):
    """The image in a file of some kind, and its path."""
    path = folder / f"image.{kind.split('-')[0]}"
    if kind == "tif":
        tifffile.imwrite(path, image, photometric="rgb")
    elif kind == "tif-lzw":
        tifffile.imwrite(
            path, image, photometric="rgb", compression="lzw", tile=(64, 64)
        )
    elif kind == "tif-planes":
        planes = np.moveaxis(image, -1, 0)
        tifffile.imwrite(path, planes, photometric="rgb", planarconfig="separate")
    elif kind == "zarr":
        array = zarr.create_array(
            path, shape=image.shape, dtype=image.dtype, chunks=(100, 100, 3)
        )
        array[:] = image
    else:  # OME-Zarr 0.4, of one time and one plane
        group = zarr.open_group(path, mode="w", zarr_format=2)
        names = "tczyx"
        scale = [1.0, 1.0, 1.0, 0.25, 0.5]
        group.attrs["multiscales"] = [
            {
                "version": "0.4",
                "axes": [{"name": n, "type": "space", "unit": "um"} for n in names],
                "datasets": [
                    {
                        "path": "0",
                        "coordinateTransformations": [
                            {"type": "scale", "scale": scale}
                        ],
                    }
                ],
            }
        ]
        values = np.moveaxis(image, -1, 0)[None, :, None]
        array = group.create_array(
            "0", shape=values.shape, dtype=image.dtype, chunks=(1, 1, 1, 99, 99)
        )
        array[:] = values
    return path


@pytest.mark.parametrize(
    "source, target",
    [
        ("tif", "restored.tif"),
        ("tif-lzw", "restored.zarr"),
        ("tif-planes", "restored.ome.zarr"),
        ("zarr", "deep/er/restored.tiff"),
        ("ome.zarr", "restored.ome.zarr"),
    ],
)
def test_files_restore_as_arrays_do(model, tmp_path, source, target):
    path = written(tmp_path, source)
    before = sorted(tmp_path.iterdir())
    arguments = {"num_steps": 2, "seed": 1, "verbose": 0}
    found = restore_file(
        model, path, tmp_path / target, max_memory=3_000_000, **arguments
    )
    assert found == tmp_path / target
    expected = model.restore(IMAGE, tile_size=None, **arguments)
    with chunked_files.opened(found) as image:
        assert image.dtype == "uint8"
        np.testing.assert_allclose(image[:].astype(int), expected, atol=1)
        assert np.mean(image[:] != expected) < 1e-3  # where rounding may differ
    assert len(set(tmp_path.iterdir()) - set(before)) == 1  # and nothing else


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
    tifffile.imwrite(
        tmp_path / "a.tif",
        IMAGE,
        photometric="rgb",
        iccprofile=bytes(range(160)),
        resolution=(300, 300),
        resolutionunit="inch",
        extratags=[(274, "H", 1, 6, True)],
    )
    with chunked_files.opened(tmp_path / "a.tif") as image:
        chunked_files.write(tmp_path / "b.tif", image, image.metadata)
    page = tifffile.TiffFile(tmp_path / "b.tif").pages[0]
    assert page.iccprofile == bytes(range(160))
    assert page.get_resolution("inch") == (300, 300)
    assert page.tags[274].value == 6


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


@pytest.mark.parametrize(
    "source, target, options, message",
    [
        ("missing.tif", "b.tif", {}, "no such file"),
        ("image.tif", "b.png", {}, ".ome.zarr. Received: "),
        ("image.tif", "image.tif", {}, "another path"),
        ("image.tif", "there.zarr", {}, "folder that exists"),
        ("stack.tif", "b.tif", {}, "must hold one image"),
        ("image.tif", "b.tif", {"num_samples": 2}, "num_samples=2"),
        ("image.tif", "b.tif", {"num_steps": 0}, "num_steps=0"),
    ],
)
def test_what_cannot_be_restored_leaves_nothing(
    model, tmp_path, source, target, options, message
):
    written(tmp_path, "tif")
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((2, 5, 20, 20), "uint8"))
    (tmp_path / "there.zarr").mkdir()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=message):
        restore_file(model, tmp_path / source, tmp_path / target, **options)
    assert sorted(tmp_path.iterdir()) == before


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
    assert all(path.name.startswith("partial-") for path in tmp_path.iterdir())
    # What it left is in nobody's way.
    chunked_files.write(target, IMAGE, {})
    with chunked_files.opened(target) as image:
        np.testing.assert_array_equal(image[:], IMAGE)
    assert [path.name for path in tmp_path.iterdir()] == [name]
