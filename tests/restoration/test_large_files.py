"""Images that are restored from file to file, as those in memory are."""

import numpy as np
import pytest
import tifffile
from helpers import smooth_images, tiny_unet
from PIL import Image

from keras_indi.images import decoding
from keras_indi.models import InDI
from keras_indi.restoration import restore_files
from keras_indi.restoration.large_files import is_large

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
    monkeypatch.setattr(decoding.inspect_image, "__defaults__", (HEIGHT * WIDTH - 1,))
    assert is_large(path)
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
    zarr = pytest.importorskip("zarr")
    image = smooth_images(1, HEIGHT, WIDTH)[0].astype("uint8")
    Image.fromarray(image).save(tmp_path / "image.tif")
    options = {"num_steps": 1, "seed": 0}
    first = restore_files(
        tmp_path / "image.tif", tmp_path / "one.zarr", model, **options
    )
    assert first.failed == {} and first.written == [tmp_path / "one.zarr"]
    expected = model.restore(image, 1, seed=0)
    found = np.asarray(zarr.open(tmp_path / "one.zarr", mode="r")[...])
    assert np.abs(found.astype(int) - expected.astype(int)).max() <= 1
    second = restore_files(tmp_path / "one.zarr", tmp_path / "out", model, **options)
    assert second.failed == {} and second.written == [tmp_path / "out" / "one.zarr"]


def test_what_does_not_go_through_disk(model, tmp_path):
    Image.fromarray(smooth_images(1, 9, 9)[0].astype("uint8")).save(tmp_path / "a.png")
    with pytest.raises(ValueError, match="of TIFF and of Zarr. Received: out="):
        restore_files(tmp_path / "a.png", tmp_path / "a.zarr", model)
    tifffile.imwrite(tmp_path / "float.tif", np.zeros((9, 9, 3), "float32"))
    result = restore_files(tmp_path / "float.tif", tmp_path / "b.zarr", model)
    assert "8 or 16 bits" in result.failed[tmp_path / "float.tif"]
    result = restore_files(
        tmp_path / "float.tif", tmp_path / "b.zarr", model, num_samples=2
    )
    assert "samples" in result.failed[tmp_path / "float.tif"]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.png", "float.tif"]
