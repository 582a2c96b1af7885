"""What the samples of TIFF files mean, read whole and by blocks alike."""

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from keras_indi.images import (
    UnusableImageError,
    chunked_files,
    inspect_image,
    read_image,
    read_photograph,
    write_photograph,
)

pytestmark = pytest.mark.backend_free

HEIGHT, WIDTH = 18, 26


def waves(channels=3, dtype="uint8"):
    rows, columns, planes = np.ogrid[:HEIGHT, :WIDTH, :channels]
    image = 0.5 + 0.45 * np.sin(0.3 * rows + planes) * np.cos(0.2 * columns)
    most = 1 if np.dtype(dtype).kind == "f" else np.iinfo(dtype).max
    return (image * most).astype(dtype)


def both(path):
    """A file read whole, and by blocks, which must be one."""
    found = read_photograph(path)
    whole = found.pixels
    if found.alpha is not None:
        whole = np.concatenate([whole, found.alpha[..., None]], axis=-1)
    with chunked_files.opened(path) as view:
        assert view.shape == whole.shape
        blocks = np.concatenate([view[:7], view[7:]])
    np.testing.assert_array_equal(blocks, whole)
    return found


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_white_is_0(dtype, tmp_path):
    image = waves(1, dtype)
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, ~image[..., 0], photometric="miniswhite")
    np.testing.assert_array_equal(both(path).pixels, image)
    np.testing.assert_array_equal(read_image(path), image)


def test_bits_of_which_white_is_0(tmp_path):
    bits = waves(1)[..., 0] > 127
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, ~bits, photometric="miniswhite")
    np.testing.assert_array_equal(both(path).pixels[..., 0], 255 * bits)


@pytest.mark.parametrize("bits, full", [(4, 255), (12, 65535)])
def test_few_bits_have_the_full_range(bits, full, tmp_path):
    numbers = np.arange(HEIGHT * WIDTH).reshape(HEIGHT, WIDTH) % 2**bits
    path = tmp_path / "image.tif"
    write_packed(path, numbers, bits)
    expected = np.rint(numbers * (full / (2**bits - 1)))
    np.testing.assert_array_equal(both(path).pixels[..., 0], expected)


def write_packed(path, numbers, bits):
    """Rows of `bits` a value, from the highest bit on, in one strip."""
    rows = []
    for row in numbers:
        ones = ((row[:, None] >> np.arange(bits - 1, -1, -1)) & 1).reshape(-1)
        rows.append(np.packbits(ones).tobytes())
    data = b"".join(rows)
    tags = [
        (256, 4, WIDTH),
        (257, 4, HEIGHT),
        (258, 3, bits),
        (259, 3, 1),
        (262, 3, 1),
        (273, 4, 8),
        (277, 3, 1),
        (278, 4, HEIGHT),
        (279, 4, len(data)),
    ]
    place = 8 + len(data) + len(data) % 2
    entries = b"".join(
        tag.to_bytes(2, "little")
        + kind.to_bytes(2, "little")
        + (1).to_bytes(4, "little")
        + value.to_bytes(4, "little")
        for tag, kind, value in tags
    )
    head = b"II*\0" + place.to_bytes(4, "little") + data + b"\0" * (len(data) % 2)
    path.write_bytes(head + len(tags).to_bytes(2, "little") + entries + bytes(4))


def test_a_palette_becomes_its_colours(tmp_path):
    image = Image.fromarray(waves()).quantize(16)
    image.save(tmp_path / "image.tif")
    found = both(tmp_path / "image.tif")
    np.testing.assert_array_equal(found.pixels, np.asarray(image.convert("RGB")))
    assert found.notes == ["its palette became RGB"]


def test_a_palette_of_colours_of_8_bits(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (3, 256), dtype="uint16")
    indices = np.arange(256, dtype="uint8").reshape(16, 16)
    tifffile.imwrite(
        tmp_path / "image.tif", indices, photometric="palette", colormap=colours
    )
    found = both(tmp_path / "image.tif")
    np.testing.assert_array_equal(found.pixels, colours.T[indices].astype("uint8"))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_cmyk(dtype, tmp_path):
    inks = waves(4, dtype)
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, inks, photometric="separated")
    most = np.iinfo(dtype).max
    left = 1 - inks / most
    expected = most * left[..., :3] * left[..., 3:]
    found = both(path)
    assert found.pixels.shape == (HEIGHT, WIDTH, 3) and found.alpha is None
    np.testing.assert_allclose(found.pixels, expected, atol=0.51)
    assert found.notes == ["its CMYK became RGB"]


def test_a_profile_of_colours_that_are_gone_is_left_out(tmp_path):
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    rgb = Image.fromarray(waves())
    profiles = [ImageCms.createProfile(name) for name in ("sRGB", "LAB")]
    lab = ImageCms.profileToProfile(rgb, *profiles, outputMode="LAB")
    lab.save(tmp_path / "image.tif", icc_profile=profile)
    found = both(tmp_path / "image.tif")
    # L*a*b* of 8 bits is coarser than RGB.
    assert np.abs(found.pixels.astype(int) - waves()).mean() < 2
    assert found.metadata.icc_profile is None
    assert found.notes == ["its L*a*b* became RGB"]


def test_ycbcr(tmp_path):
    image = Image.fromarray(waves()).convert("YCbCr")
    image.save(tmp_path / "image.tif")
    found = both(tmp_path / "image.tif")
    np.testing.assert_array_equal(found.pixels, np.asarray(image.convert("RGB")))


@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
def test_associated_alpha_is_divided_out_once(dtype, tmp_path):
    most = 1 if dtype == "float32" else np.iinfo(dtype).max
    colours, alpha = waves(3, dtype), waves(1, dtype)
    share = alpha / most
    stored = colours * share if dtype == "float32" else np.rint(colours * share)
    path = tmp_path / "image.tif"
    tifffile.imwrite(
        path,
        np.concatenate([stored, alpha], -1).astype(dtype),
        photometric="rgb",
        extrasamples=["assocalpha"],
    )
    found = both(path)
    np.testing.assert_array_equal(found.alpha, alpha[..., 0])
    # One level of the multiplied colours is `1 / share` of the colours.
    error = np.abs(found.pixels.astype("float64") - colours)
    assert np.all(error <= (1e-5 if most == 1 else 0.5 / share + 0.51))
    black = read_image(path)  # laid over black: as it was stored
    np.testing.assert_allclose(black, stored, atol=1e-5 if most == 1 else 1.01)


def test_an_unspecified_sample_is_no_alpha(tmp_path):
    image = waves(4)
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, image, photometric="rgb", extrasamples=["unspecified"])
    found = both(path)
    np.testing.assert_array_equal(found.pixels, image[..., :3])
    assert found.alpha is None and found.notes == ["1 extra channel left out"]
    assert not inspect_image(path).has_alpha


def test_planes_and_zstd_of_16_bits(tmp_path):
    image = waves(3, "uint16")
    planes = np.moveaxis(image, -1, 0)
    path = tmp_path / "image.tif"
    kind = {"photometric": "rgb", "planarconfig": "separate"}
    for compression in (None, "zstd", "lzw"):
        tifffile.imwrite(path, planes, compression=compression, **kind)
        np.testing.assert_array_equal(both(path).pixels, image)


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_floats_come_back_as_floats_of_the_same_range(dtype, tmp_path):
    path, out = tmp_path / "image.tif", tmp_path / "out.tif"
    image = waves(3, "float32") * 4 - 1
    tifffile.imwrite(path, image.astype(dtype), photometric="rgb")
    with pytest.raises(UnusableImageError, match=r"float values from -.* not in \(0"):
        read_image(path)
    with pytest.raises(UnusableImageError, match="float values"):
        read_photograph(path)
    found = read_photograph(path, value_range=(-1, 3))
    expected = (image.astype(dtype).astype("float32") + 1) / 4
    np.testing.assert_allclose(found.pixels, expected, atol=1e-6)
    assert write_photograph(out, found) == []
    again = tifffile.imread(out)
    assert again.dtype == dtype
    np.testing.assert_allclose(again, image.astype(dtype), atol=2e-3)
    clipped = read_photograph(path, clip=True)
    np.testing.assert_allclose(
        clipped.pixels, np.clip(image.astype(dtype).astype("float32"), 0, 1)
    )
    assert "clipped to [0, 1]" in clipped.notes[0]


def test_floats_in_the_unit_range_are_read(tmp_path):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, waves(1, "float32")[..., 0])
    read = read_image(path, 3)
    np.testing.assert_array_equal(read, np.repeat(waves(1, "float32"), 3, -1))
    info = inspect_image(path)
    assert info.is_float and info.bits == 32
    tifffile.imwrite(path, np.full((4, 4), np.nan, "float32"))
    with pytest.raises(UnusableImageError, match="float values from nan"):
        read_image(path)


@pytest.mark.parametrize(
    "options, reason",
    [
        ({"photometric": "cfa"}, "photometric CFA"),
        ({"photometric": "icclab"}, "photometric ICCLAB"),
    ],
)
def test_the_true_reason_of_what_is_not_read(options, reason, tmp_path):
    path = tmp_path / "image.tif"
    image = waves(3 if "lab" in options["photometric"] else 1)
    tifffile.imwrite(path, image if image.shape[-1] == 3 else image[..., 0], **options)
    for read in (read_image, read_photograph, inspect_image):
        with pytest.raises(UnusableImageError, match=f"not read .*{reason}"):
            read(path)


def test_missing_tiles_are_not_taken_for_black(tmp_path):
    path = tmp_path / "image.tif"
    tifffile.imwrite(path, waves(), tile=(16, 16), compression="zlib")
    content = bytearray(path.read_bytes())
    with tifffile.TiffFile(path) as tiff:
        counts = tiff.pages.first.tags[325]
    content[counts.valueoffset : counts.valueoffset + 2] = b"\0\0"
    path.write_bytes(content)
    with pytest.raises(UnusableImageError, match="of 4 strips or tiles"):
        read_image(path)
