"""`restore_file`: images that need not fit into memory."""

import numpy as np
import pytest
from helpers import tiny_unet
from images.stored_images import IMAGE, tifffile, written

from keras_indi.images import chunked_files
from keras_indi.models import InDI
from keras_indi.restoration import restore_file


@pytest.fixture(scope="module")
def model():
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
