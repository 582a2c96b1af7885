"""What stands beside the pixels goes from file to file in the bytes of the file."""

import os
import pathlib
import struct
import zlib

import numpy as np
import pytest
import tifffile
from helpers import run_alone
from PIL import Image, PngImagePlugin

from keras_indi.images import read_image, read_photograph, write_photograph
from keras_indi.images.encoding import write_png

pytestmark = pytest.mark.backend_free

NAME = "Jérô".encode()
IPTC = b"\x1c\x02\x50\x00\x04Jose"  # by-line
RESOURCES = b"8BIM\x04\x04\0\0" + struct.pack(">I", len(IPTC)) + IPTC + b"\0"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>J\xc3\xa9</x:xmpmeta>"


def grey(height=9, width=12, dtype="uint8"):
    values = np.arange(height * width).reshape(height, width)
    return (values * (np.iinfo(dtype).max // values.max())).astype(dtype)


def exif_block(orientation=(3, 6)):
    """A big-endian block with a name that is not ASCII and a tag that nobody knows."""
    kind, value = orientation
    text = NAME + b"\0"
    packed = (
        struct.pack(">H", value) + b"\0\0" if kind == 3 else bytes([value, 0, 0, 0])
    )
    entries = [
        struct.pack(">HHI", 0x0112, kind, 1) + packed,
        struct.pack(">HHII", 0x013B, 2, len(text), 8 + 2 + 3 * 12 + 4),
        struct.pack(">HHI", 0xC7AB, 4, 1) + struct.pack(">I", 12345),
    ]
    head = b"MM\0*" + struct.pack(">IH", 8, len(entries))
    return head + b"".join(entries) + bytes(4) + text


def chunk(name, body):
    return (
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
    )


def with_chunks(path, *chunks):
    content = path.read_bytes()
    path.write_bytes(content[:33] + b"".join(chunk(*c) for c in chunks) + content[33:])


def chunks_of(path):
    content, place, found = path.read_bytes(), 8, {}
    while place < len(content):
        length, name = struct.unpack(">I4s", content[place : place + 8])
        found[name] = content[place + 8 : place + 8 + length]
        place += 12 + length
    return found


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_exif_goes_through_byte_for_byte(suffix, tmp_path):
    path, out = tmp_path / "image.jpg", tmp_path / f"out{suffix}"
    Image.fromarray(grey()).save(path, exif=b"Exif\0\0" + exif_block())
    assert write_photograph(out, read_photograph(path)) == []
    with Image.open(out) as written:
        block = written.info["exif"].removeprefix(b"Exif\0\0")
    assert block == exif_block()


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_names_reach_tiff_byte_for_byte(dtype, tmp_path):
    path, out = tmp_path / "image.png", tmp_path / "out.tif"
    write_png(path, grey(dtype=dtype)[..., None])
    with_chunks(path, (b"eXIf", exif_block()))
    write_photograph(out, read_photograph(path))
    write_photograph(tmp_path / "again.tif", read_photograph(out))
    for name in ("out.tif", "again.tif"):
        content = (tmp_path / name).read_bytes()
        assert NAME in content
        assert read_photograph(tmp_path / name).orientation == 6


@pytest.mark.parametrize("kind, value", [(1, 6), (3, 0), (3, 9), (3, 90), (2, 54)])
def test_an_orientation_that_lies_turns_nothing(kind, value, tmp_path):
    path = tmp_path / "image.jpg"
    Image.fromarray(grey()).save(path, exif=b"Exif\0\0" + exif_block((kind, value)))
    # A number of another type is still the number that it says.
    turned = (12, 9) if value == 6 and kind == 1 else (9, 12)
    assert read_image(path).shape[:2] in (turned, (9, 12))
    photograph = read_photograph(path)
    assert photograph.pixels.shape[:2] == (9, 12)
    for suffix in (".tif", ".png", ".jpg"):
        out = tmp_path / f"out{suffix}"
        write_photograph(out, photograph)
        assert read_photograph(out).pixels.shape[:2] == (9, 12)


def test_tiff_of_the_highest_resolution_is_written_again(tmp_path):
    most = (2**32 - 1, 1)
    for scale, unit in ((1, "CENTIMETER"), (4, "INCH")):
        options = {"resolution": (most, most), "resolutionunit": unit}
        tifffile.imwrite(tmp_path / "image.tif", grey(), **options)
        photograph = read_photograph(tmp_path / "image.tif")
        large = np.repeat(np.repeat(photograph.pixels, scale, 0), scale, 1)
        write_photograph(tmp_path / "out.tif", photograph.with_pixels(large, None))
        dpi = read_photograph(tmp_path / "out.tif").metadata.dpi
        np.testing.assert_allclose(dpi, most[0])


@pytest.mark.parametrize("value", [0, 9, 90])
def test_tiff_of_odd_orientation_and_resolution_is_written_again(value, tmp_path):
    for dtype in ("uint8", "uint16"):
        path, out = tmp_path / "image.tif", tmp_path / "out.tif"
        tags = [(0x0112, 3, 1, value, True)]
        tifffile.imwrite(path, grey(dtype=dtype), extratags=tags, resolution=(300, 300))
        content = bytearray(path.read_bytes())
        with tifffile.TiffFile(path) as tiff:
            places = [tiff.pages.first.tags[tag].valueoffset for tag in (282, 283)]
        for place in places:
            content[place : place + 8] = bytes(8)  # 0/0
        path.write_bytes(content)
        photograph = read_photograph(path)
        assert photograph.orientation == 1 and photograph.metadata.dpi is None
        write_photograph(out, photograph)
        np.testing.assert_array_equal(read_image(out)[..., 0], grey(dtype=dtype))


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_colours_and_text_of_png(dtype, tmp_path):
    path, out = tmp_path / "image.png", tmp_path / "out.png"
    write_png(path, grey(dtype=dtype)[..., None])
    chunks = {
        b"gAMA": struct.pack(">I", 100_000),
        b"cHRM": struct.pack(">8I", *range(1, 9)),
        b"cICP": bytes([9, 16, 0, 1]),
        b"tEXt": b"Title\0J\xe9r\xf4",
        b"iTXt": b"Author\0\0\0\0\0" + NAME,
    }
    with_chunks(path, *chunks.items())
    assert write_photograph(out, read_photograph(path)) == []
    found = chunks_of(out)
    assert {name: found[name] for name in chunks} == chunks
    lost = write_photograph(tmp_path / "out.jpg", read_photograph(path))
    assert "not kept in JPEG: gAMA, cHRM, cICP, text" in lost


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_transparent_grey_is_kept(dtype, tmp_path):
    path, out = tmp_path / "image.png", tmp_path / "out.png"
    image = grey(dtype=dtype)
    write_png(path, image[..., None])
    with_chunks(path, (b"tRNS", int(image[2, 3]).to_bytes(2, "big")))
    photograph = read_photograph(path)
    np.testing.assert_array_equal(photograph.alpha == 0, image == image[2, 3])
    np.testing.assert_array_equal(photograph.pixels[..., 0], image)
    write_photograph(out, photograph)
    again = read_photograph(out)
    np.testing.assert_array_equal(again.alpha, photograph.alpha)
    np.testing.assert_array_equal(again.pixels[..., 0], image)


def test_comment_and_iptc_of_jpeg(tmp_path):
    path = tmp_path / "image.jpg"
    body = b"Photoshop 3.0\0" + RESOURCES
    segment = b"\xff\xed" + struct.pack(">H", len(body) + 2) + body
    Image.fromarray(grey()).save(path, comment=b"by " + NAME, extra=segment, xmp=XMP)
    photograph = read_photograph(path)
    assert write_photograph(tmp_path / "out.jpg", photograph) == []
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.info["comment"] == b"by " + NAME
        assert written.info["photoshop"][1028] == IPTC
        assert written.info["xmp"] == XMP
    assert write_photograph(tmp_path / "out.png", photograph) == [
        "not kept in PNG: IPTC"
    ]
    with Image.open(tmp_path / "out.png") as written:
        assert written.info["Comment"] == "by " + NAME.decode()
    lost = write_photograph(tmp_path / "out.tif", photograph)
    assert lost == ["not kept in TIFF: comment"]
    lost = write_photograph(tmp_path / "out.webp", photograph)
    assert lost == ["not kept in WEBP: comment, IPTC"]


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_xmp_and_iptc_of_tiff(dtype, tmp_path):
    path = tmp_path / "image.tif"
    tags = [(700, 1, len(XMP), XMP, True), (33723, 7, len(IPTC), IPTC, True)]
    tifffile.imwrite(path, grey(dtype=dtype), extratags=tags)
    photograph = read_photograph(path)
    assert write_photograph(tmp_path / "out.tif", photograph) == []
    again = read_photograph(tmp_path / "out.tif").metadata
    assert (again.xmp, again.iptc) == (XMP, IPTC)
    write_photograph(tmp_path / "out.jpg", photograph)
    with Image.open(tmp_path / "out.jpg") as written:
        assert written.info["photoshop"][1028] == IPTC
        assert written.info["xmp"] == XMP


def test_a_damaged_profile_is_left_out(tmp_path):
    path = tmp_path / "image.jpg"
    cmyk = Image.fromarray(np.stack([grey()] * 4, -1), "CMYK")
    for image in (Image.fromarray(grey()), cmyk):
        image.save(path, icc_profile=b"no profile" * 20)
        photograph = read_photograph(path)
        assert photograph.metadata.icc_profile is None
        # That of CMYK would not be kept if it were sound.
        said = "its colour profile is damaged or of other colours: left out"
        assert (said in photograph.notes) == (image is not cmyk)
        write_photograph(tmp_path / "out.jpg", photograph)


def test_sizes_in_exif_follow_an_enlargement(tmp_path):
    path = tmp_path / "image.jpg"
    exif = Image.Exif()
    exif[0x8769] = {0xA002: 12, 0xA003: 9}
    exif[0x013B] = NAME
    Image.fromarray(grey()).save(path, exif=exif, dpi=(100, 100))
    photograph = read_photograph(path)
    larger = photograph.with_pixels(np.zeros((27, 36, 1), "uint8"), None)
    write_photograph(tmp_path / "out.jpg", larger)
    with Image.open(tmp_path / "out.jpg") as written:
        directory = written.getexif().get_ifd(0x8769)
        assert (directory[0xA002], directory[0xA003]) == (36, 27)
        assert written.info["dpi"] == (300, 300)
        assert NAME in written.info["exif"]


def test_text_of_an_older_writer_is_no_exif_of_ours(tmp_path):
    path = tmp_path / "image.png"
    text = PngImagePlugin.PngInfo()
    text.add_text("Title", "waves", zip=True)
    Image.fromarray(grey()).save(path, pnginfo=text)
    write_photograph(tmp_path / "out.png", read_photograph(path))
    with Image.open(tmp_path / "out.png") as written:
        assert written.text == {"Title": "waves"}


FIRST = """
import sys
from keras_indi.images.photograph import read_photograph
print(read_photograph(sys.argv[1]).metadata.exif)
"""


def test_exif_of_the_first_tiff_that_a_process_reads(tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "Anna"
    Image.fromarray(grey()).save(tmp_path / "a.tif", exif=exif.tobytes())
    environ = {**os.environ, "PYTHONPATH": str(pathlib.Path(__file__).parents[2])}
    assert "Anna" in run_alone(["-c", FIRST, tmp_path / "a.tif"], environ)


@pytest.mark.parametrize("place", ["exif", "gps"])
@pytest.mark.parametrize("damage", ["leads out", "no number", "long offset"])
def test_damaged_directories_are_left_out_of_what_is_written(place, damage, tmp_path):
    pointer = {"exif": 0x8769, "gps": 0x8825}[place]
    entries = {
        "leads out": struct.pack(">HHIi", pointer, 9, 1, -1),  # a signed number
        "no number": struct.pack(">HHII", pointer, 4, 1, 8 + 2 + 12 + 4),
        "long offset": struct.pack(">HHII", pointer, 4, 1, 8 + 2 + 12 + 4),
    }
    beyond = 8 + 2 + 12 + 4 + 2 + 12 + 4
    directory = {
        "leads out": b"",
        "no number": struct.pack(">HHHII", 1, 0x920A, 5, 1, beyond) + bytes(4),
        "long offset": struct.pack(">HHHII", 1, 0x011A, 16, 1, beyond) + bytes(4),
    }
    value = {"leads out": b"", "no number": bytes(8), "long offset": b"\xff" * 8}
    block = b"MM\0*" + struct.pack(">IH", 8, 1) + entries[damage] + bytes(4)
    block += directory[damage] + value[damage]
    path = tmp_path / "image.jpg"
    Image.fromarray(grey()).save(path, exif=b"Exif\0\0" + block)
    photograph = read_photograph(path)
    enlarged = photograph.with_pixels(np.zeros((18, 24, 1), "uint8"), None)
    for suffix in (".tif", ".jpg", ".png", ".webp"):
        for image in (photograph, enlarged):
            write_photograph(tmp_path / f"out{suffix}", image)
            again = read_photograph(tmp_path / f"out{suffix}")
            assert again.pixels.shape[:2] == image.pixels.shape[:2]


def test_what_is_too_long_for_jpeg_is_left_out_and_named(tmp_path):
    path, out = tmp_path / "image.webp", tmp_path / "out.jpg"
    exif = Image.Exif()
    exif[0x010E] = "long " * 14_000
    xmp = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'>" + b" " * 66_000 + b"</x:xmpmeta>"
    Image.fromarray(grey()).convert("RGB").save(path, exif=exif, xmp=xmp)
    assert write_photograph(out, read_photograph(path)) == [
        "not kept in JPEG: EXIF, XMP"
    ]
    assert read_photograph(out).metadata.exif == b""
    assert write_photograph(tmp_path / "out.png", read_photograph(path)) == []
    assert read_photograph(tmp_path / "out.png").metadata.xmp == xmp
    path = tmp_path / "image.gif"
    Image.fromarray(grey()).save(path, comment=b"c" * 70_000)
    assert write_photograph(out, read_photograph(path)) == ["not kept in JPEG: comment"]
