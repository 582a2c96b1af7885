"""Reading image files, against Pillow, tifffile and the arrays written."""

import io
import struct
import zlib

import cv2
import numpy as np
import PIL
import pytest
import tifffile
from PIL import Image, ImageOps, PngImagePlugin

from keras_indi.data import UnusableImageError, inspect_image, read_image
from keras_indi.images import read_photograph
from keras_indi.images.encoding import write_png
from keras_indi.images.unusable import TooLargeImageError

pytestmark = pytest.mark.backend_free

HEIGHT, WIDTH = 20, 28


def noise(channels, dtype, seed=0):
    high = np.iinfo(dtype).max + 1
    shape = (HEIGHT, WIDTH, channels)
    return np.random.default_rng(seed).integers(0, high, shape).astype(dtype)


def encoded(image, format, **options):
    file = io.BytesIO()
    image.save(file, format, **options)
    return file.getvalue()


def smooth():
    """A photograph-like image that JPEG keeps well."""
    image = noise(3, "uint8")
    return Image.fromarray(cv2.GaussianBlur(image, (0, 0), 3))


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_lossless_formats_come_back_bit_for_bit(suffix, dtype, channels, tmp_path):
    image = noise(channels, dtype)
    path = tmp_path / f"image.{suffix}"
    if suffix == "png":
        write_png(path, image)
    else:
        tifffile.imwrite(path, image if channels == 3 else image[..., 0])
    read = read_image(path)
    assert read.dtype == dtype
    np.testing.assert_array_equal(read, image)
    info = inspect_image(path)
    assert (info.height, info.width) == (HEIGHT, WIDTH)
    assert info.channels == channels and info.bits == 8 * image.itemsize
    assert not info.has_alpha


@pytest.mark.parametrize("compression", ["tiff_lzw", "tiff_deflate", "jpeg"])
def test_compressed_tiff(compression):
    content = encoded(smooth(), "TIFF", compression=compression)
    expected = np.asarray(Image.open(io.BytesIO(content)))
    np.testing.assert_array_equal(read_image(content), expected)


@pytest.mark.parametrize("lossless", [True, False])
def test_webp_and_jpeg_equal_pillows_decoding(lossless):
    webp = encoded(smooth(), "WEBP", lossless=lossless)
    jpeg = encoded(smooth(), "JPEG", progressive=lossless)
    for content in (webp, jpeg):
        expected = np.asarray(Image.open(io.BytesIO(content)))
        difference = read_image(content).astype(int) - expected
        assert np.max(np.abs(difference)) <= 1
    if lossless:
        np.testing.assert_array_equal(read_image(webp), np.asarray(smooth()))


@pytest.mark.parametrize("format", ["PNG", "TIFF"])
@pytest.mark.parametrize("mode", ["1", "L", "P", "RGB"])
def test_modes_become_grey_or_rgb_as_pillow_has_it(mode, format):
    image = smooth().convert(mode)
    expected = np.asarray(image.convert("L" if mode in "1L" else "RGB"))
    read = read_image(encoded(image, format))
    np.testing.assert_array_equal(read, np.atleast_3d(expected))


def test_cmyk_becomes_rgb():
    content = encoded(smooth().convert("CMYK"), "JPEG")
    expected = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"), int)
    assert np.max(np.abs(read_image(content) - expected)) <= 2


@pytest.mark.parametrize("format", ["PNG", "WEBP", "TIFF"])
@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_alpha_is_laid_over_black(mode, format):
    colour = smooth().convert(mode[:-1])
    alpha = Image.fromarray(noise(1, "uint8")[..., 0])
    image = Image.merge(mode, [*colour.split(), alpha])
    options = {"lossless": True, "exact": True} if format == "WEBP" else {}
    black = Image.new("RGBA", image.size, "black")
    expected = Image.alpha_composite(black, image.convert("RGBA")).convert("RGB")
    read = read_image(encoded(image, format, **options), 3)
    assert np.max(np.abs(read.astype(int) - np.asarray(expected))) <= 1


def test_alpha_of_16_bits(tmp_path):
    image = noise(4, "uint16")
    cv2.imwrite(str(tmp_path / "image.png"), cv2.cvtColor(image, cv2.COLOR_RGBA2BGRA))
    tifffile.imwrite(tmp_path / "image.tif", image, extrasamples=["unassalpha"])
    expected = image[..., :3].astype(float) * image[..., 3:] / 65535
    for path in tmp_path.iterdir():
        read = read_image(path)
        assert read.dtype == "uint16"
        assert np.max(np.abs(read - expected)) < 0.51
        assert inspect_image(path).has_alpha


def png_of(values, bits, color_type, beside=b"", interlaced=False):
    """A PNG of integers `(height, width, channels)`, written by hand."""
    height, width, _ = values.shape
    passes = [(slice(None), slice(None))]
    if interlaced:  # Adam7
        passes = [
            (slice(y, None, rows), slice(x, None, columns))
            for y, x, rows, columns in (
                *((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4)),
                *((2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1)),
            )
        ]
    lines = [line for part in passes if values[part].size for line in values[part]]
    data = b""
    for line in lines:
        text = "".join(f"{value:0{bits}b}" for value in line.reshape(-1).tolist())
        text += "0" * (-len(text) % 8)
        data += b"\0" + int(text, 2).to_bytes(len(text) // 8, "big")

    def chunk(name, body):
        length, check = len(body), zlib.crc32(name + body)
        return struct.pack(">I", length) + name + body + struct.pack(">I", check)

    header = struct.pack(
        ">IIBBBBB", width, height, bits, color_type, 0, 0, int(interlaced)
    )
    content = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header)
    content += chunk(b"tRNS", beside) if beside else b""
    return content + chunk(b"IDAT", zlib.compress(data)) + chunk(b"IEND", b"")


@pytest.mark.parametrize("interlaced", [False, True])
def test_grey_with_alpha_of_16_bits(interlaced, tmp_path):
    values = noise(2, "uint16")
    path = tmp_path / "image.png"
    path.write_bytes(png_of(values, 16, 4, interlaced=interlaced))
    info = inspect_image(path)
    assert (info.channels, info.has_alpha, info.bits) == (1, True, 16)
    expected = values[..., :1].astype(float) * values[..., 1:] / 65535
    assert np.max(np.abs(read_image(path) - expected)) < 0.51
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.pixels, values[..., :1])
    np.testing.assert_array_equal(photograph.alpha, values[..., 1])


@pytest.mark.parametrize("bits", [1, 2, 4, 8, 16])
def test_a_transparent_grey_of_few_bits(bits, tmp_path):
    most = 2**bits - 1
    values = np.arange(48).reshape(6, 8, 1) % (most + 1)
    full = 65535 if bits == 16 else 255
    for transparent in {0, 1, most}:
        path = tmp_path / "image.png"
        path.write_bytes(png_of(values, bits, 0, struct.pack(">H", transparent)))
        photograph = read_photograph(path)
        np.testing.assert_array_equal(photograph.pixels, values * (full // most))
        np.testing.assert_array_equal(
            photograph.alpha, np.where(values[..., 0] == transparent, 0, full)
        )


def test_a_transparent_colour_of_a_palette_becomes_black():
    image = smooth().quantize(8)
    index = np.asarray(image)
    read = read_image(encoded(image, "PNG", transparency=int(index[0, 0])))
    assert np.all(read[index == index[0, 0]] == 0)
    expected = np.asarray(image.convert("RGB"))
    others = index != index[0, 0]
    np.testing.assert_array_equal(read[others], expected[others])


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "TIFF", "AVIF"])
def test_orientation_is_applied(format, orientation, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = orientation
    options = {
        "TIFF": {"tiffinfo": {0x0112: orientation}},
        "WEBP": {"exif": exif, "lossless": True},
    }.get(format, {"exif": exif})
    path = tmp_path / "image"
    path.write_bytes(encoded(smooth(), format, **options))
    with Image.open(path) as stored:
        expected = np.asarray(ImageOps.exif_transpose(stored))
    read = read_image(path)
    assert read.shape == expected.shape
    assert (inspect_image(path).height, inspect_image(path).width) == read.shape[:2]
    assert np.max(np.abs(read.astype(int) - expected)) <= 1


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("channels", [1, 3])
def test_orientation_of_16_bit_tiff(channels, orientation, tmp_path):
    image = noise(channels, "uint16")
    path = tmp_path / "image.tif"
    tag = (0x0112, 3, 1, orientation, True)
    stored = image if channels == 3 else image[..., 0]
    tifffile.imwrite(path, stored, extratags=[tag])
    transpose = {
        1: image,
        2: image[:, ::-1],
        3: image[::-1, ::-1],
        4: image[::-1],
        5: image.transpose(1, 0, 2),
        6: image[::-1].transpose(1, 0, 2),
        7: image[::-1, ::-1].transpose(1, 0, 2),
        8: image[:, ::-1].transpose(1, 0, 2),
    }
    np.testing.assert_array_equal(read_image(path), transpose[orientation])


def test_wanted_channels():
    colour, grey = smooth(), smooth().convert("L")
    read = read_image(encoded(colour, "PNG"), 1)
    assert read.shape == (HEIGHT, WIDTH, 1)
    assert np.max(np.abs(read[..., 0].astype(int) - np.asarray(grey))) <= 1
    read = read_image(encoded(grey, "PNG"), 3)
    np.testing.assert_array_equal(read, np.asarray(grey.convert("RGB")))
    with pytest.raises(ValueError, match="Received: image_channels=4"):
        read_image(encoded(colour, "PNG"), 4)


@pytest.mark.parametrize("fraction", [0.1, 0.5, 0.9, 0.98])
def test_truncated_files_are_refused(fraction, tmp_path):
    write_png(tmp_path / "deep.png", noise(3, "uint16"))
    tifffile.imwrite(tmp_path / "deep.tif", noise(3, "uint16"), compression="zlib")
    contents = [path.read_bytes() for path in tmp_path.iterdir()]
    contents += [encoded(smooth(), name) for name in ("PNG", "JPEG", "WEBP", "TIFF")]
    for content in contents:
        read_image(content)
        with pytest.raises(UnusableImageError, match="truncated|unreadable"):
            read_image(content[: int(fraction * len(content))])


def test_what_is_no_image_is_refused(tmp_path):
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("no image")
    (tmp_path / "other.png").write_bytes(encoded(smooth(), "TGA"))
    for path in tmp_path.iterdir():
        for function in (read_image, inspect_image):
            with pytest.raises(UnusableImageError, match="unreadable"):
                function(path)
    with pytest.raises(UnusableImageError, match=r"unreadable \(No such file"):
        read_image(tmp_path / "missing.png")


def test_depths_and_layouts_that_are_not_read_are_refused(tmp_path):
    path = tmp_path / "image.tif"
    for dtype in ("int16", "uint32", "float64"):
        tifffile.imwrite(path, np.zeros((HEIGHT, WIDTH), dtype))
        with pytest.raises(UnusableImageError, match=f"not read .* of {dtype}"):
            read_image(path)
    tifffile.imwrite(path, noise(3, "uint8"), photometric="icclab")
    with pytest.raises(UnusableImageError, match="not read .*photometric ICCLAB"):
        read_image(path)


def bmp_of_runs(bits, runs, gap=0):
    """A BMP of 4x1 pixels, compressed, whose runs begin `gap` bytes later."""
    palette = bytes(n for i in range(2**bits) for n in (i, 2 * i % 256, 255 - i, 0))
    begin = 54 + len(palette) + gap
    info = (40, 4, 1, 1, bits, {8: 1, 4: 2}[bits], len(runs), 0, 0, 2**bits, 0)
    head = struct.pack("<2sIHHI", b"BM", begin + len(runs), 0, 0, begin)
    head += struct.pack("<IiiHHIIiiII", *info)
    return head + palette + bytes(gap) + runs


def test_runs_of_a_bmp_that_pillow_places_wrongly_are_refused():
    runs = bytes([0, 3, 7, 8, 9, 0, 1, 5, 0, 0, 0, 1])  # 7 8 9 and, padded, 5
    read = read_image(bmp_of_runs(8, runs))
    np.testing.assert_array_equal(read[0, :, 2], [7, 8, 9, 5])
    few = bytes([0, 3, 0x12, 0x30, 1, 0x40, 0, 0, 0, 1])
    for content in (bmp_of_runs(8, runs, 1), bmp_of_runs(4, few)):
        for function in (read_image, inspect_image):
            with pytest.raises(UnusableImageError, match="not read .*save it as PNG"):
                function(content)


def test_a_jpeg_without_an_image_says_so():
    with pytest.raises(UnusableImageError, match="finds no whole image in it"):
        read_image(b"\xff\xd8\xff\xd9")


def test_too_many_pixels_are_refused_before_they_are_decoded():
    content = encoded(Image.new("1", (20000, 4000)), "PNG")
    assert len(content) < 20000  # a bomb: 10 megabytes of bits, or 80 of bytes
    with pytest.raises(UnusableImageError, match=r"too large \(4000x20000"):
        read_image(content, max_pixels=10**6)
    bomb = encoded(Image.new("1", (20000, 10000)), "PNG")
    with pytest.raises(UnusableImageError, match="too large"):
        read_image(bomb)


def test_a_file_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    path = tmp_path / "image.png"
    write_png(path, noise(3, "uint8"))

    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("os.replace", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_png(path, noise(3, "uint8", seed=1))
    assert list(tmp_path.iterdir()) == [path]
    np.testing.assert_array_equal(read_image(path), noise(3, "uint8"))


@pytest.mark.parametrize(
    "format", ["PNG", "JPEG", "WEBP", "GIF", "BMP", "AVIF", "TIFF"]
)
def test_a_file_that_is_cut_says_so_in_plain_words(format):
    content = encoded(smooth(), format)
    for length in np.linspace(12, len(content) - 4, 40).astype(int):
        with pytest.raises(UnusableImageError) as error:
            read_image(content[:length])
        told = str(error.value)
        assert told.startswith(("truncated or damaged (", "unreadable (")), told
        for word in ("decoder object", "driver", "unpack", "buffer", "index"):
            assert word not in told


@pytest.mark.skipif(
    int(PIL.__version__.partition(".")[0]) < 13, reason="WebP had no limit"
)
def test_pillows_own_limit_is_told(monkeypatch):
    content = encoded(smooth(), "WEBP")
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", 10)
    with pytest.raises(TooLargeImageError, match=r"PIL\.Image\.MAX_IMAGE_PIXELS"):
        read_image(content)


@pytest.mark.parametrize("format", ["PNG", "JPEG", "WEBP", "AVIF"])
def test_the_orientation_of_exif_counts_and_not_that_of_xmp(format):
    xmp = b"""<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF
    xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#'><rdf:Description
    xmlns:tiff='http://ns.adobe.com/tiff/1.0/'><tiff:Orientation>6</tiff:Orientation>
    </rdf:Description></rdf:RDF></x:xmpmeta>"""
    options = {"xmp": xmp}
    if format == "PNG":
        options = {"pnginfo": PngImagePlugin.PngInfo()}
        options["pnginfo"].add_itxt("XML:com.adobe.xmp", xmp.decode())
    assert read_image(encoded(smooth(), format, **options)).shape == (HEIGHT, WIDTH, 3)
    exif = Image.Exif()
    exif[0x0112] = 6
    turned = read_image(encoded(smooth(), format, exif=exif.tobytes(), **options))
    assert turned.shape == (WIDTH, HEIGHT, 3)


@pytest.mark.parametrize("place", [33, -12], ids=["before the pixels", "behind them"])
@pytest.mark.parametrize("is_text", [False, True])
def test_the_exif_of_a_png_turns_it_wherever_it_stands(is_text, place):
    exif = Image.Exif()
    exif[0x0112] = 6
    block = exif.tobytes()
    chunk = b"eXIf" + block.removeprefix(b"Exif\0\0")
    if is_text:  # of older writers
        text = f"Raw profile type exif\0\nexif\n{len(block):8}\n{block.hex()}\n"
        chunk = b"tEXt" + text.encode("latin-1")
    length, checksum = len(chunk) - 4, zlib.crc32(chunk)
    chunk = struct.pack(">I", length) + chunk + struct.pack(">I", checksum)
    content = encoded(smooth(), "PNG")
    content = content[:place] + chunk + content[place:]
    np.testing.assert_array_equal(
        read_image(content), np.rot90(np.asarray(smooth()), -1)
    )
    info = inspect_image(content)
    assert (info.height, info.width) == (WIDTH, HEIGHT)
