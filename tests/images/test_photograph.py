"""What a file says is in the file that is written of it."""

import dataclasses
import io

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms, ImageOps

from keras_indi.data import UnusableImageError
from keras_indi.images import read_photograph, write_photograph
from keras_indi.images.encoding import write_png

pytestmark = pytest.mark.backend_free

HEIGHT, WIDTH = 14, 22
PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
EXIF_IFD, GPS_IFD = 0x8769, 0x8825
LOSSLESS = {"WEBP": {"lossless": True, "exact": True}}


def pixels(channels, dtype="uint8", seed=0):
    """Waves that all formats can hold."""
    rows, columns, planes = np.ogrid[:HEIGHT, :WIDTH, :channels]
    waves = np.sin(0.2 * rows + seed) * np.cos(0.15 * columns + planes)
    return ((0.5 + 0.4 * waves) * np.iinfo(dtype).max).astype(dtype)


def exif(orientation=1):
    block = Image.Exif()
    block.update({0x010F: "Maker", 0x0112: orientation, 0x0132: "2024:05:06 07:08:09"})
    block[EXIF_IFD] = {0x829A: 0.01, 0x9003: "2024:05:06 07:08:09"}
    block[GPS_IFD] = {1: "N", 2: (47.0, 30.0, 0.0)}
    return block


def rewritten(path, suffix=None):
    """Reads a photograph, writes its inverse beside it, and opens that."""
    photograph = read_photograph(path)
    changed = dataclasses.replace(photograph, pixels=~photograph.pixels)
    out = path.with_name(f"out{suffix or path.suffix}")
    lost = write_photograph(out, changed)
    assert sorted(p.name for p in path.parent.iterdir()) == sorted(
        [path.name, out.name]
    )
    return photograph, out, lost


@pytest.mark.parametrize("mode", ["L", "LA", "RGB", "RGBA"])
@pytest.mark.parametrize("suffix", [".png", ".tif", ".webp"])
def test_pixels_and_alpha_of_8_bits(mode, suffix, tmp_path):
    if suffix == ".webp" and mode in ("L", "LA"):
        pytest.skip("WebP has colours alone")
    image = pixels(len(mode))
    path = tmp_path / f"image{suffix}"
    options = LOSSLESS["WEBP"] if suffix == ".webp" else {}
    Image.fromarray(image[..., 0] if mode == "L" else image).save(path, **options)
    photograph, out, lost = rewritten(path)
    colours = 3 if mode.startswith("RGB") else 1
    np.testing.assert_array_equal(photograph.pixels, image[..., :colours])
    assert lost == [] and photograph.notes == []
    with Image.open(out) as written:
        assert written.mode == mode
        found = np.asarray(written).reshape(HEIGHT, WIDTH, -1)
    if mode.endswith("A"):
        np.testing.assert_array_equal(found[..., -1], image[..., -1])
    if suffix == ".webp":
        error = np.abs(found[..., :colours].astype(int) - (255 - image[..., :colours]))
        assert error.mean() < 6
    else:
        np.testing.assert_array_equal(found[..., :colours], 255 - image[..., :colours])


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pixels_and_alpha_of_16_bits(channels, suffix, tmp_path):
    image = pixels(channels, "uint16")
    path = tmp_path / f"image{suffix}"
    if suffix == ".tif":
        tifffile.imwrite(
            path,
            image[..., 0] if channels == 1 else image,
            photometric="minisblack" if channels == 1 else "rgb",
            extrasamples=["unassalpha"] if channels == 4 else None,
            iccprofile=PROFILE,
            resolution=(300, 300),
            resolutionunit="INCH",
        )
    elif channels == 4:
        write_with_opencv(path, image)
    else:
        write_png(path, image)
    photograph, out, lost = rewritten(path)
    assert photograph.pixels.dtype == "uint16" and lost == []
    found = read_16_bits(out)
    np.testing.assert_array_equal(found[..., :3], 65535 - image[..., :3])
    if channels == 4:
        np.testing.assert_array_equal(found[..., 3], image[..., 3])
    if suffix == ".tif":
        with Image.open(out) as written:
            assert written.info["icc_profile"] == PROFILE
            assert written.info["dpi"] == (300, 300)


def write_with_opencv(path, image):
    import cv2

    cv2.imwrite(str(path), cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))


def read_16_bits(path):
    """An independent reader of each format."""
    if path.suffix == ".tif":
        image = tifffile.imread(path)
    else:
        import cv2

        image = cv2.imread(str(path), cv2.IMREAD_UNCHANGED)
        if image.ndim == 3:
            image = image[..., [2, 1, 0, 3][: image.shape[-1]]]
    return image.reshape(*image.shape[:2], -1)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
@pytest.mark.parametrize("orientation", [1, 2, 5, 6, 8])
def test_what_stands_beside_the_pixels(suffix, orientation, tmp_path):
    path = tmp_path / f"image{suffix}"
    image = Image.fromarray(pixels(3))
    options = {"quality": 100} if suffix == ".jpg" else {}
    image.save(
        path,
        exif=exif(orientation).tobytes(),
        icc_profile=PROFILE,
        dpi=(240, 240),
        **options,
    )
    photograph, out, _ = rewritten(path)
    with Image.open(path) as before, Image.open(out) as after:
        # Pillow turns TIFF by itself, and forgets the orientation.
        assert after.size == before.size
        tags = after.getexif()
        assert tags[0x0112] == orientation
        assert tags[0x010F] == "Maker"
        assert tags.get_ifd(EXIF_IFD)[0x829A] == pytest.approx(0.01)
        assert tags.get_ifd(GPS_IFD)[2] == (47.0, 30.0, 0.0)
        assert after.info["icc_profile"] == PROFILE
        if suffix != ".webp":
            assert after.info["dpi"] == pytest.approx((240, 240), abs=0.1)
        upright = [np.asarray(ImageOps.exif_transpose(i)) for i in (before, after)]
    assert photograph.upright.shape == upright[0].shape
    expected = 255 - upright[0].astype(int)
    assert np.abs(upright[1] - expected).mean() < (1 if suffix != ".webp" else 6)


@pytest.mark.parametrize("orientation", [1, 6])
def test_what_stands_beside_16_bits(orientation, tmp_path):
    image = pixels(3, "uint16")
    source = tmp_path / "image.tif"
    Image.fromarray(pixels(3)).save(
        source, exif=exif(orientation).tobytes(), icc_profile=PROFILE, dpi=(240, 240)
    )
    photograph = read_photograph(source)
    for suffix in (".png", ".tif"):
        out = tmp_path / f"out{suffix}"
        write_photograph(out, dataclasses.replace(photograph, pixels=image))
        assert not list(tmp_path.glob(".*"))
        with Image.open(out) as written:
            assert written.info["icc_profile"] == PROFILE
            assert written.info["dpi"] == pytest.approx((240, 240), abs=0.1)
            assert written.getexif()[0x0112] == orientation
            assert written.getexif()[0x010F] == "Maker"
        again = read_photograph(out)
        np.testing.assert_array_equal(again.pixels, image)
        assert again.orientation == orientation


@pytest.mark.parametrize("quality, expected", [(30, 90), (96, 96)])
def test_jpeg_is_written_with_full_colours_and_quality_90(tmp_path, quality, expected):
    path = tmp_path / "image.jpg"
    Image.fromarray(pixels(3)).save(path, quality=quality)
    _, out, _ = rewritten(path)
    with Image.open(out) as written:
        assert [layer[1:3] for layer in written.layer] == [(1, 1)] * 3
        tables = written.quantization
    buffer = io.BytesIO()
    Image.fromarray(pixels(3)).save(buffer, "JPEG", quality=expected)
    assert tables == Image.open(buffer).quantization


def test_grey_jpeg_stays_grey(tmp_path):
    path = tmp_path / "image.jpg"
    Image.fromarray(pixels(1)[..., 0]).save(path)
    photograph, out, _ = rewritten(path)
    assert photograph.pixels.shape == (HEIGHT, WIDTH, 1)
    assert Image.open(out).mode == "L"


def test_conversions_are_told(tmp_path):
    image = Image.fromarray(pixels(3))
    for name, converted, note in (
        ("cmyk.jpg", image.convert("CMYK"), "CMYK became RGB"),
        ("palette.png", image.quantize(16), "palette became RGB"),
        ("bits.png", image.convert("1"), "bits became 8-bit grey"),
    ):
        converted.save(tmp_path / name)
        photograph = read_photograph(tmp_path / name)
        assert [note in text for text in photograph.notes] == [True]
    channels = read_photograph(tmp_path / "bits.png").pixels.shape[-1]
    assert channels == 1


def test_transparency_of_a_palette_is_kept(tmp_path):
    path = tmp_path / "image.png"
    image = Image.fromarray(pixels(3)).quantize(8)
    index = np.asarray(image)
    image.save(path, transparency=int(index[0, 0]))
    _, out, _ = rewritten(path)
    alpha = np.asarray(Image.open(out))[..., 3]
    np.testing.assert_array_equal(alpha == 0, index == index[0, 0])


def test_of_pages_the_first_is_read_and_that_is_told(tmp_path):
    path = tmp_path / "pages.tif"
    first, second = (Image.fromarray(pixels(3, seed=seed)) for seed in (0, 1))
    first.save(path, save_all=True, append_images=[second])
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, pixels(3))
    assert photograph.notes == ["the first of its 2 pages or frames"]


def test_another_format_tells_what_it_cannot_hold(tmp_path):
    path = tmp_path / "image.png"
    write_with_opencv(path, pixels(4, "uint16"))
    _, out, lost = rewritten(path, ".jpg")
    assert lost == ["JPEG has no alpha", "JPEG has 8 bits"]
    found = np.asarray(Image.open(out)).astype(int)
    expected = (65535 - pixels(4, "uint16")[..., :3]) / 257
    assert np.abs(found - expected).mean() < 3


def test_a_damaged_exif_block_is_left_out(tmp_path):
    path = tmp_path / "image.jpg"
    Image.fromarray(pixels(3)).save(path, exif=b"Exif\0\0II*\0\x08\0\0\0\xff\xff\x01")
    _, out, _ = rewritten(path)
    assert Image.open(out).size == (WIDTH, HEIGHT)


def test_what_cannot_be_read_or_written_is_refused(tmp_path):
    path = tmp_path / "image.png"
    path.write_bytes(b"no image")
    with pytest.raises(UnusableImageError):
        read_photograph(path)
    with pytest.raises(UnusableImageError, match="unreadable"):
        read_photograph(tmp_path / "none.png")
    Image.fromarray(pixels(3)).save(path)
    with pytest.raises(ValueError, match=r"Received: path='.*out\.gif'"):
        write_photograph(tmp_path / "out.gif", read_photograph(path))
    assert list(tmp_path.iterdir()) == [path]
