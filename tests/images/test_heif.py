"""HEIC and AVIF, against Pillow's decoding of them."""

import importlib.util
import io
import re
import struct
import sys

import numpy as np
import pytest
from helpers import smooth_images
from PIL import Image, ImageOps, features

from keras_indi.images import UnusableImageError, inspect_image, read_image
from keras_indi.images.encoding import write_photograph
from keras_indi.images.photograph import read_photograph
from keras_indi.images.several_pictures import other_pictures

pytestmark = pytest.mark.backend_free

HAS_HEIF = importlib.util.find_spec("pillow_heif") is not None
FORMATS = [
    pytest.param(
        "HEIF", marks=pytest.mark.skipif(not HAS_HEIF, reason="needs pillow-heif")
    ),
    pytest.param(
        "AVIF",
        marks=pytest.mark.skipif(not features.check("avif"), reason="Pillow's own"),
    ),
]


@pytest.fixture(autouse=True, scope="module")
def opener():
    if HAS_HEIF:
        import pillow_heif

        pillow_heif.register_heif_opener()


def encoded(format, channels=3, **options):
    image = smooth_images(1, 40, 60, channels)[0].astype("uint8")
    image = image[..., 0] if channels == 1 else image
    file = io.BytesIO()
    Image.fromarray(image).save(file, format, quality=90, **options)
    return file.getvalue()


def decoded(content):
    return np.asarray(ImageOps.exif_transpose(Image.open(io.BytesIO(content))))


def exif_of(orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    exif[0x010F] = "Maker"
    return exif.tobytes()


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("orientation", [1, 3, 6])
def test_pixels_are_pillows_and_upright(format, orientation, tmp_path):
    content = encoded(format, exif=exif_of(orientation))
    expected = decoded(content)
    assert expected.shape == ((60, 40, 3) if orientation == 6 else (40, 60, 3))
    np.testing.assert_array_equal(read_image(content), expected)
    info = inspect_image(content)
    assert (info.height, info.width, info.format) == (*expected.shape[:2], format)
    # Written as another format it is turned as it was, and once.
    ending = {"HEIF": "heic"}.get(format, "avif")
    (tmp_path / f"a.{ending}").write_bytes(content)
    photograph = read_photograph(tmp_path / f"a.{ending}")
    np.testing.assert_array_equal(photograph.upright, expected)
    write_photograph(tmp_path / "out.png", photograph)
    np.testing.assert_array_equal(
        decoded((tmp_path / "out.png").read_bytes()), expected
    )
    assert Image.open(tmp_path / "out.png").getexif()[0x010F] == "Maker"


@pytest.mark.parametrize("format", FORMATS)
def test_a_first_brand_of_either_format_leaves_it_to_the_others(format):
    content = encoded(format)
    other = content[:8] + b"mif1" + content[12:]
    assert inspect_image(other).format == format
    np.testing.assert_array_equal(read_image(other), read_image(content))


@pytest.mark.parametrize("format", FORMATS)
def test_alpha_and_profile_are_kept(format, tmp_path):
    from PIL import ImageCms

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    path = tmp_path / f"a.{'heic' if format == 'HEIF' else 'avif'}"
    path.write_bytes(encoded(format, 4, icc_profile=profile))
    photograph = read_photograph(path)
    expected = decoded(path.read_bytes())
    np.testing.assert_array_equal(photograph.pixels, expected[..., :3])
    np.testing.assert_array_equal(photograph.alpha, expected[..., 3])
    assert photograph.metadata.icc_profile == profile


@pytest.mark.parametrize("format", FORMATS)
@pytest.mark.parametrize("numbers", [(9, 16), (12, 13), (1, 13), (2, 2)])
def test_colours_other_than_srgb_are_kept_in_png_and_named_elsewhere(
    format, numbers, tmp_path
):
    options = {}
    if format == "HEIF":
        names = ("color_primaries", "transfer_characteristic")
        options = dict(zip(names, (1, 13)), save_nclx_profile=True)
    head, box, rest = encoded(format, **options).partition(b"colrnclx")
    assert box
    path = tmp_path / f"a.{'heic' if format == 'HEIF' else 'avif'}"
    path.write_bytes(head + box + struct.pack(">HH", *numbers) + rest[4:])
    photograph = read_photograph(path)
    is_srgb = numbers in ((1, 13), (2, 2))
    assert write_photograph(tmp_path / "a.png", photograph) == []
    chunk = b"\0\0\0\4cICP" + bytes([*numbers, 0, 1])
    assert (chunk in (tmp_path / "a.png").read_bytes()) == (not is_srgb)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), read_image(path))
    lost = write_photograph(tmp_path / "a.tif", photograph)
    assert lost == ([] if is_srgb else ["not kept in TIFF: cICP"])


@pytest.mark.parametrize("format", FORMATS)
def test_what_a_file_holds_beside_its_picture_is_said(format, tmp_path):
    path = tmp_path / "a.heic"
    content = encoded(format)
    path.write_bytes(content)
    assert other_pictures(path) is None
    video = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(1000)
    path.write_bytes(content + struct.pack(">I4s", 8 + len(video), b"mpvd") + video)
    assert other_pictures(path) == "the picture of a motion photo, without its video"


@pytest.mark.skipif(not HAS_HEIF, reason="needs pillow-heif")
def test_maps_beside_a_picture_of_heic_are_said(tmp_path):
    path = tmp_path / "a.heic"
    content = encoded("HEIF", 4)
    path.write_bytes(content)
    assert other_pictures(path) is None  # the map is alpha
    kind = re.search(rb"urn:[a-z0-9:]+", content[content.index(b"auxC") :])[0]
    for name, said in (
        (b"urn:mpeg:hevc:2015:auxid:2", "map of depth"),
        (b"urn:com:apple:photo:2020:aux:gain", "gain"),
    ):
        name = name if len(name) == len(kind) else name[-len(kind) :].rjust(len(kind))
        path.write_bytes(content.replace(kind, name))
        assert other_pictures(path) == f"the picture without its {said}"


@pytest.mark.parametrize("format", FORMATS)
def test_what_is_cut_is_refused(format):
    content = encoded(format)
    for length in np.linspace(16, len(content) - 8, 25).astype(int):
        with pytest.raises(UnusableImageError, match=r"^(truncated|unreadable)"):
            read_image(content[:length])


@pytest.mark.skipif(not HAS_HEIF, reason="needs pillow-heif")
@pytest.mark.parametrize("bits", [10, 12])
def test_that_more_than_8_bits_became_8_is_told(bits, tmp_path):
    import pillow_heif

    ramp = np.linspace(0, 65535, 40 * 60).reshape(40, 60, 1).astype("uint16")
    deep = np.repeat(ramp, 3, axis=-1)
    heif = pillow_heif.from_bytes("RGB;16", (60, 40), deep.tobytes())
    pillow_heif.options.SAVE_HDR_TO_12_BIT = bits == 12
    try:
        heif.save(tmp_path / "a.heic", quality=-1, save_to_12bit=bits == 12)
    finally:
        pillow_heif.options.SAVE_HDR_TO_12_BIT = False
    photograph = read_photograph(tmp_path / "a.heic")
    assert photograph.pixels.dtype == "uint8"
    assert photograph.notes == [f"its {bits} bits became 8"]
    np.testing.assert_allclose(photograph.pixels, deep / 257, atol=3)


def test_without_its_package_the_command_that_mends_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    with pytest.raises(ImportError, match=r'pip install "keras-indi\[heif\]"$'):
        read_image(b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100))
