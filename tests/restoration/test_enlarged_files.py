"""Files that a model of super-resolution enlarges."""

import numpy as np
import pytest
from click.testing import CliRunner
from helpers import smooth_images, tiny_unet
from images.stored_images import tifffile
from PIL import Image

from keras_indi.data.resize import resize
from keras_indi.images import chunked_files
from keras_indi.models import InDI
from keras_indi.restoration import (
    file_seed,
    large_files,
    restore_file,
    restore_files,
)
from keras_indi_cli.__main__ import main

SMALL = smooth_images(1, 13, 10, channels=4)[0].astype("uint8")
OPTIONS = {"num_steps": 1, "seed": 0}


@pytest.fixture(scope="module")
def model():
    return InDI(tiny_unet(gain=0.3), noise_schedule=0.02, seed=0, scale=3)


def test_a_photograph_and_what_stands_beside_its_pixels(model, tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "a camera"
    exif.get_ifd(0x8769).update({0xA002: 10, 0xA003: 13})
    Image.fromarray(SMALL).save(tmp_path / "a.png", dpi=(100, 100), exif=exif)
    restore_file(model, tmp_path / "a.png", tmp_path / "b.png", **OPTIONS)
    with Image.open(tmp_path / "b.png") as image:
        restored = np.asarray(image)
        assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)
        found = image.getexif()
    assert found[0x010F] == "a camera"
    assert dict(found.get_ifd(0x8769)) == {0xA002: 30, 0xA003: 39}
    expected = model.restore(SMALL[..., :3], **OPTIONS)
    np.testing.assert_allclose(restored[..., :3].astype(int), expected, atol=1)
    alpha = resize(SMALL[..., 3:], 39, 30, "bilinear")
    np.testing.assert_array_equal(restored[..., 3:], alpha)


def test_a_photograph_lies_as_it_lay(model, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    Image.fromarray(SMALL[..., :3]).save(tmp_path / "a.jpg", exif=exif, quality=95)
    restore_file(model, tmp_path / "a.jpg", tmp_path / "b.jpg", **OPTIONS)
    with Image.open(tmp_path / "b.jpg") as image:
        assert image.size == (30, 39) and image.getexif()[0x0112] == 6


def test_an_image_that_was_enlarged_already_keeps_its_size(model, tmp_path):
    model.save(tmp_path / "model.keras")
    Image.fromarray(SMALL[..., :3]).save(tmp_path / "a.png", dpi=(100, 100))
    arguments = ["restore", tmp_path / "a.png", "--preset", tmp_path / "model.keras"]
    arguments += ["--steps", 1, "--dtype", "float32"]

    def run(*more):
        return CliRunner().invoke(main, [str(part) for part in [*arguments, *more]])

    for scale, size in (([], (30, 39)), (["--scale", 1], (10, 13))):
        path = tmp_path / f"{size[0]}.png"
        assert run(*scale, "-o", path).exit_code == 0
        with Image.open(path) as image:
            assert image.size == size
    seed = file_seed(0, "a.png")
    same = model.restore(SMALL[..., :3], 1, scale=1, seed=seed).astype(int)
    np.testing.assert_allclose(Image.open(tmp_path / "10.png"), same, atol=1)
    refused = run("--scale", 2, "-o", tmp_path / "no.png")
    assert refused.exit_code != 0 and "or 3, which" in refused.output
    assert not (tmp_path / "no.png").exists()


@pytest.mark.parametrize("target", ["b.tif", "b.zarr", "b.ome.zarr"])
def test_by_blocks_as_in_memory(model, tmp_path, target, monkeypatch):
    image = smooth_images(1, 70, 50)[0]  # floats go by blocks where they are large
    resolution = {"resolution": (100, 100), "resolutionunit": "INCH"}
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb", **resolution)
    arguments = {**OPTIONS, "max_memory": 3_000_000}
    monkeypatch.setattr(large_files, "MAX_PIXELS", 70 * 50 - 1)
    restore_file(
        model, tmp_path / "a.tif", tmp_path / target, value_range=(0, 255), **arguments
    )
    expected = np.clip(model.restore(image, tile_size=None, **OPTIONS), 0, 255)
    with chunked_files.opened(tmp_path / target) as restored:
        np.testing.assert_allclose(restored[:], expected, atol=2e-2)
        if target == "b.tif":
            assert restored.metadata["tiff"]["resolution"] == (300, 300)


def test_pixels_of_a_microscope_become_smaller(model, tmp_path):
    image = smooth_images(1, 20, 16)[0].astype("uint8")
    sizes = {"ome": ({"y": 0.6, "x": 0.3}, {"y": "micrometer", "x": "micrometer"})}
    chunked_files.write(tmp_path / "a.ome.zarr", image, sizes)
    restore_file(model, tmp_path / "a.ome.zarr", tmp_path / "b.ome.zarr", **OPTIONS)
    with chunked_files.opened(tmp_path / "b.ome.zarr") as restored:
        assert restored.shape == (60, 48, 3)
        found, units = restored.metadata["ome"]
    assert (found["y"], found["x"]) == pytest.approx((0.2, 0.1))
    assert units["y"] == "micrometer"


def test_alpha_by_blocks(model, tmp_path, monkeypatch):
    monkeypatch.setattr(
        "keras_indi.restoration.one_file.is_by_blocks", lambda path, _: True
    )
    kind = {"photometric": "rgb", "extrasamples": ["unassalpha"]}
    tifffile.imwrite(tmp_path / "a.tif", SMALL, **kind)
    restore_file(model, tmp_path / "a.tif", tmp_path / "b.tif", **OPTIONS)
    alpha = resize(SMALL[..., 3:], 39, 30, "bilinear")
    np.testing.assert_array_equal(tifffile.imread(tmp_path / "b.tif")[..., 3:], alpha)


def test_a_comparison_shows_the_enlargement(model, tmp_path):
    Image.fromarray(SMALL[..., :3]).save(tmp_path / "a.png")
    result = restore_files(
        tmp_path / "a.png", tmp_path / "out", model, compare=True, **OPTIONS
    )
    sides, steps = (np.asarray(Image.open(path)) for path in result.pictures)
    enlarged = resize(SMALL[..., :3], 39, 30, "bilinear")
    np.testing.assert_array_equal(sides[28 : 28 + 39, 8 : 8 + 30], enlarged)
    np.testing.assert_array_equal(steps[28 : 28 + 39, 8 : 8 + 30], enlarged)
    assert sides.shape[1] == 2 * (30 + 8) + 8 and steps.shape[1] == 6 * (30 + 8) + 8
