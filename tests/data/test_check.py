"""What a check finds in sets with known faults."""

import struct

import numpy as np
import pytest
from helpers import shared_folder, smooth_images
from PIL import Image
from scipy import ndimage
from skimage.metrics import peak_signal_noise_ratio

from keras_indi import data
from keras_indi.data.check import VIEW_SIZE, check_folders, crops_to_look_at
from keras_indi.data.resize import resize
from keras_indi.images.encoding import write_png

pytestmark = pytest.mark.backend_free


def scene(seed=0, size=96):
    rng = np.random.default_rng(seed)
    blocks = np.kron(rng.uniform(0, 180, (size // 8, size // 8, 3)), np.ones((8, 8, 1)))
    waves = smooth_images(1, size, size, seed=seed)[0] / 4
    return ndimage.gaussian_filter(blocks + waves, (1, 1, 0)).astype("uint8")


def noisy(image, seed=0):
    noise = np.random.default_rng(seed).normal(0, 5, image.shape)
    return np.clip(image + noise, 0, 255).astype("uint8")


@pytest.fixture
def folders(tmp_path):
    for number in range(3):
        write_png(tmp_path / "clean" / f"{number}.png", scene(number))
        write_png(tmp_path / "degraded" / f"{number}.png", noisy(scene(number)))
    return tmp_path


def check(root, **options):
    return check_folders(root / "degraded", root / "clean", verbose=0, **options)


def test_a_good_set_is_usable(folders):
    result = check(folders)
    assert result.usable and not result.misaligned and not result.unusable
    for number in range(3):
        pair = result.pairs[str(number)]
        expected = peak_signal_noise_ratio(scene(number), noisy(scene(number)))
        assert pair.psnr == pytest.approx(expected, abs=1e-3)
        assert np.hypot(*pair.shift) < 0.15 and pair.scale == 1
    report = result.report()
    assert "3 pairs, none without a partner" in report
    assert "degraded: 96x96 pixels; RGB 8 bits PNG" in report
    assert f"PSNR of the degraded: median {result.pairs['1'].psnr:.2f}"[:25] in report


def test_each_fault_is_found(folders):
    moved = np.roll(scene(0), (3, -2), (0, 1))
    write_png(folders / "degraded" / "0.png", noisy(moved))
    (folders / "degraded" / "1.png").write_text("no image")
    write_png(folders / "clean" / "2.png", scene(2)[:-1])
    write_png(folders / "degraded" / "3.png", scene(3))
    result = check(folders)
    assert not result.usable
    assert list(result.misaligned) == ["0"]
    np.testing.assert_allclose(result.pairs["0"].shift, (3, -2), atol=0.15)
    assert sorted(result.unusable) == ["1", "2"]
    report = result.report()
    for text in (
        "3 pairs; 1 degraded without a partner (3)",
        "misaligned by more than 1 pixels: 1 (0: 3.6)",
        "unusable: 2 (1: unreadable",
        "sizes that do not fit",
    ):
        assert text in report, report
    assert not check(folders, max_shift=5).misaligned


@pytest.mark.parametrize("fault", ["shift", "unreadable", "alone"])
def test_one_fault_is_enough(folders, fault):
    if fault == "shift":
        write_png(folders / "degraded" / "0.png", np.roll(scene(0), 3, 0))
    elif fault == "unreadable":
        (folders / "clean" / "0.png").write_bytes(b"")
    else:
        (folders / "clean" / "0.png").unlink()
    assert not check(folders).usable


def test_an_empty_set_is_not_usable(tmp_path):
    for side in ("degraded", "clean"):
        (tmp_path / side).mkdir()
    result = check(tmp_path)
    assert not result.usable and "0 pairs" in result.report()


def test_mixed_sizes_depths_and_scales(folders):
    large = resize(scene(1), 192, 192, "bicubic")
    write_png(folders / "clean" / "1.png", large.astype("uint16") * 257)
    write_png(folders / "clean" / "2.png", scene(2)[..., :1])
    result = check(folders)
    assert result.pairs["1"].scale == 2
    assert np.hypot(*result.pairs["1"].shift) < 0.2
    report = result.report()
    assert "clean: 96x96 to 192x192 pixels; 1 RGB 8 bits PNG, " in report
    assert "1 RGB 16 bits PNG" in report and "1 grey 8 bits PNG" in report
    assert "clean larger than degraded: 1, 2 times" in report


def test_crops_to_look_at(folders):
    result = check(folders)
    rows = crops_to_look_at(result, count=2)
    ranked = sorted(result.pairs, key=lambda name: result.pairs[name].psnr)
    assert list(rows) == [ranked[0], ranked[-1]]
    for name, (degraded, clean, difference) in rows.items():
        assert degraded.shape == (VIEW_SIZE, VIEW_SIZE, 3)
        np.testing.assert_array_equal(clean[:96, :96], scene(int(name)))
        np.testing.assert_array_equal(degraded[:96, :96], noisy(scene(int(name))))
        error = (degraded.astype(float) - clean)[:96, :96]
        np.testing.assert_allclose(difference[:96, :96], 127.5 + error / 2, atol=0.51)
    write_png(folders / "degraded" / "1.png", np.roll(scene(1), 4, 0))
    assert next(iter(crops_to_look_at(check(folders)))) == "1"


def test_images_that_a_limit_lets_through_are_looked_at_too(folders, monkeypatch):
    limits = set()

    def read_image(path, channels, max_pixels=None):
        limits.add(max_pixels)
        return data.read_image(path, channels, max_pixels)

    monkeypatch.setattr("keras_indi.data.check.read_image", read_image)
    result = check(folders, max_pixels=96 * 96)
    assert result.usable and len(crops_to_look_at(result)) == 3
    assert limits == {96 * 96}
    assert len(check(folders, max_pixels=96 * 96 - 1).unusable) == 3


@pytest.mark.slow
@pytest.mark.parametrize("name", ["polyu100", "city100"])
def test_the_real_sets_are_usable(name):
    result = check(shared_folder("data", name, "eval"))
    print(result.report())
    assert result.usable


def test_an_orientation_of_another_type_ends_nothing(tmp_path):
    """A BYTE where EXIF wants a SHORT: all readers of pairs take the image as it is."""
    entry = struct.pack("<HHI", 0x0112, 1, 1) + b"\x63\0\0\0"
    block = b"Exif\0\0II*\0" + struct.pack("<IH", 8, 1) + entry + bytes(4)
    image = np.arange(40 * 48 * 3).reshape(40, 48, 3).astype("uint8")
    for side in ("degraded", "clean"):
        (tmp_path / side).mkdir()
        Image.fromarray(image).save(tmp_path / side / "a.png", exif=block)
        # What no library can make sense of.
        (tmp_path / side / "b.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(40))
    folders = tmp_path / "degraded", tmp_path / "clean"
    result = data.check_folders(*folders, verbose=0)
    assert result.pairs["a"].clean.height == 40 and list(result.unusable) == ["b"]
    pairs = data.pairs_from_folders(
        folders[1], degraded=folders[0], crop_size=32, batch_size=1, training=False
    )
    batch = next(iter(pairs))
    np.testing.assert_array_equal(batch[0][0], image[4:36, 8:40])
