"""Files that are restored by blocks, as images in memory are."""

import numpy as np
import pytest
from helpers import smooth_images, tiny_unet
from images.stored_images import IMAGE, tifffile, written, zarr
from PIL import Image

from keras_indi.images import chunked_files
from keras_indi.models import InDI
from keras_indi.restoration import file_seed, large_files, restore_file, restore_files
from keras_indi.restoration.large_files import is_by_blocks

HEIGHT, WIDTH = 70, 90


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0)


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_a_large_tiff_is_restored_as_a_small_one(
    model, channels, dtype, tmp_path, monkeypatch
):
    most = np.iinfo(dtype).max
    image = smooth_images(1, HEIGHT, WIDTH, channels, high=most)[0].astype(dtype)
    path = tmp_path / "image.tif"
    tifffile.imwrite(
        path,
        image[..., 0] if channels == 1 else image,
        photometric="minisblack" if channels == 1 else "rgb",
        extrasamples=["unassalpha"] if channels == 4 else None,
    )
    options = {"num_steps": 2, "seed": 1}
    restore_files(path, tmp_path / "small", model, **options)
    monkeypatch.setattr(large_files, "MAX_PIXELS", HEIGHT * WIDTH - 1)
    assert is_by_blocks(path)
    result = restore_files(path, tmp_path / "large", model, **options)
    assert result.failed == {}
    small, large = (
        tifffile.imread(tmp_path / name / "image.tif") for name in ("small", "large")
    )
    assert large.dtype == dtype and large.shape == small.shape
    assert np.abs(large.astype(int) - small.astype(int)).max() <= 1
    if channels == 4:
        np.testing.assert_array_equal(large[..., 3], image[..., 3])


def test_from_tiff_to_zarr_and_on(model, tmp_path):
    image = smooth_images(1, HEIGHT, WIDTH)[0].astype("uint8")
    Image.fromarray(image).save(tmp_path / "image.tif")
    options = {"num_steps": 1, "seed": 0}
    first = restore_files(
        tmp_path / "image.tif", tmp_path / "one.zarr", model, **options
    )
    assert first.failed == {} and first.written == [tmp_path / "one.zarr"]
    expected = model.restore(image, 1, seed=file_seed(0, "image.tif"))
    found = np.asarray(zarr.open(tmp_path / "one.zarr", mode="r")[...])
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    second = restore_files(tmp_path / "one.zarr", tmp_path / "out", model, **options)
    assert second.failed == {} and second.written == [tmp_path / "out" / "one.zarr"]


def test_what_does_not_go_by_blocks(model, tmp_path):
    Image.fromarray(smooth_images(1, 9, 9)[0].astype("uint8")).save(tmp_path / "a.png")
    for restore in (restore_files, lambda a, b, m: restore_file(m, a, b)):
        with pytest.raises(
            ValueError, match="Zarr output needs TIFF or Zarr.* Received: out="
        ):
            restore(tmp_path / "a.png", tmp_path / "a.zarr", model)
    tifffile.imwrite(tmp_path / "float.tif", np.zeros((9, 9, 3), "float32"))
    result = restore_files(
        tmp_path / "float.tif", tmp_path / "b.zarr", model, num_samples=2
    )
    assert "samples" in result.failed[tmp_path / "float.tif"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "float.tif"]


@pytest.fixture(scope="module")
def wide_model():
    """One that sees far, and whose tiles are many."""
    unet = tiny_unet(channel_multipliers=(1, 1), gain=0.8, condition_on_degraded=True)
    return InDI(unet, noise_schedule=0.02)


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
def test_files_restore_as_arrays_do(wide_model, tmp_path, source, target):
    path = written(tmp_path, source)
    before = sorted(tmp_path.iterdir())
    arguments = {"num_steps": 2, "seed": 1, "verbose": 0}
    found = restore_file(
        wide_model, path, tmp_path / target, max_memory=3_000_000, **arguments
    )
    assert found == tmp_path / target
    expected = wide_model.restore(IMAGE, tile_size=None, **arguments)
    with chunked_files.opened(found) as image:
        assert image.dtype == "uint8"
        np.testing.assert_allclose(image[:].astype(int), expected, atol=1)
        assert np.mean(image[:] != expected) < 1e-3  # where rounding may differ
    assert len(set(tmp_path.iterdir()) - set(before)) == 1  # and nothing else


@pytest.mark.parametrize(
    "source, target, options, message",
    [
        ("missing.tif", "b.tif", {}, "File not found"),
        (".", "b.tif", {}, "File not found"),
        ("image.tif", "b.gif", {}, ".zarr. Received: "),
        ("image.zarr", "b.png", {}, "Zarr output needs TIFF or Zarr"),
        ("image.tif", "image.tif", {}, "would overwrite its own input"),
        ("image.tif", "there.tif", {}, "already exist"),
        ("image.tif", "there.zarr", {}, "already exist"),
        ("image.tif", "there.zarr", {"overwrite": True}, "never overwritten"),
        ("stack.tif", "b.zarr", {}, "must hold one image"),
        ("two.tif", "b.tif", {}, r"the model's channels.*two.tif.*\(20, 20, 2\)"),
        ("image.tif", "b.tif", {"num_samples": 2}, "num_samples=2"),
        ("image.tif", "b.tif", {"num_steps": 0}, "num_steps=0"),
        ("image.tif", "b.zarr", {"num_steps": 0}, "num_steps=0"),
    ],
)
def test_what_cannot_be_restored_leaves_nothing(
    wide_model, tmp_path, source, target, options, message
):
    written(tmp_path, "tif")
    written(tmp_path, "zarr")
    tifffile.imwrite(tmp_path / "stack.tif", np.zeros((2, 5, 20, 20), "uint8"))
    two = np.zeros((2, 20, 20), "float32")
    tifffile.imwrite(tmp_path / "two.tif", two, metadata={"axes": "CYX"})
    (tmp_path / "there.zarr").mkdir()
    (tmp_path / "there.tif").touch()
    before = sorted(tmp_path.iterdir())
    with pytest.raises(ValueError, match=message):
        restore_file(wide_model, tmp_path / source, tmp_path / target, **options)
    assert sorted(tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    "dtype, high, value_range",
    [
        ("float32", 255, (0, 255)),
        ("int32", 255, (0, 255)),
        ("uint16", 4095, (0, 4095)),
        (">u2", 65535, (0, 255)),
    ],
)
def test_values_that_are_the_models_own_and_those_that_are_scaled(
    dtype, high, value_range, tmp_path
):
    model = InDI(tiny_unet(gain=0.3), value_range=value_range, seed=0)
    image = smooth_images(1, 20, 30, high=high)[0].astype(dtype)
    own = high / value_range[1]
    expected = own * model.restore(image.astype("float32") / np.float32(own), 2)
    array = zarr.create_array(
        tmp_path / "a.zarr", shape=image.shape, dtype=image.dtype, chunks=(9, 9, 3)
    )
    array[:] = image
    planes = np.moveaxis(image, -1, 0)  # three pages of one image
    tifffile.imwrite(
        tmp_path / "a.tif",
        planes,
        photometric="minisblack",
        metadata={"axes": "CYX"},
        byteorder=">" if dtype == ">u2" else None,
    )
    for name in ("a.zarr", "a.tif"):
        path = restore_file(
            model,
            tmp_path / name,
            tmp_path / f"restored-{name}",
            value_range=(0, high) if dtype == "float32" else None,
            num_steps=2,
        )
        with chunked_files.opened(path) as restored:
            assert restored.dtype == np.dtype(dtype).newbyteorder("=")
            exact = restored.dtype.kind == "f"
            np.testing.assert_allclose(
                restored[:].astype("float64"), expected, atol=1e-3 if exact else 0.6
            )


def test_a_zarr_in_a_folder_is_one_of_its_images(model, tmp_path):
    folder = tmp_path / "scans"
    folder.mkdir()
    Image.fromarray(IMAGE).save(folder / "a.png")
    written(folder, "zarr").rename(folder / "b.zarr")
    written(folder, "ome.zarr").rename(folder / "c.ome.zarr")
    result = restore_files(folder, tmp_path / "out", model, num_steps=1)
    names = ["a.png", "b.zarr", "c.ome.zarr"]
    assert result.failed == {} and result.left_out == {}
    assert [path.name for path in result.written] == names
    with chunked_files.opened(tmp_path / "out" / "c.ome.zarr") as image:
        assert "ome" in image.metadata
    again = restore_files(folder, tmp_path / "out", model, existing="skip")
    assert [path.name for path in again.skipped] == names
    beside = restore_files(folder / "c.ome.zarr", None, model, num_steps=1)
    assert beside.written == [folder / "c-restored.ome.zarr"]


def test_a_zarr_that_exists_is_not_overwritten_and_the_rest_is_done(model, tmp_path):
    Image.fromarray(IMAGE).save(tmp_path / "a.png")
    path = written(tmp_path, "zarr").rename(tmp_path / "b.zarr")
    before = np.asarray(zarr.open(path, mode="r")[...])
    result = restore_files(tmp_path, tmp_path, model, num_steps=1, existing="overwrite")
    assert result.written == [tmp_path / "a.png"]
    assert list(result.failed) == [path]
    assert "never overwritten" in result.failed[path]
    np.testing.assert_array_equal(zarr.open(path, mode="r")[...], before)


def test_what_a_zarr_says_and_its_restoration_does_not_is_named(model, tmp_path):
    path = written(tmp_path, "zarr")
    zarr.open(path, mode="r+").attrs["stain"] = "H&E"
    result = restore_files(path, tmp_path / "b.tif", model, num_steps=1)
    assert "not kept in TIFF: attribute stain" in result.notes[path]
