"""Whatever a file holds beside its pixels is in the result, or named."""

import hashlib
import io
import struct
import zlib

import numpy as np
import pytest
import tifffile
from PIL import Image, ImageCms

from keras_indi.images import read_image, read_photograph, write_photograph

pytestmark = pytest.mark.backend_free

RGB = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype="uint8")
XMP = b"http://ns.adobe.com/xap/1.0/\0<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
JUMBF = b"JP\0\1\0\0\0\1\0\0\0\x20jumb\0\0\0\x18jumdc2pa"


def jpeg(*segments, image=RGB, **options):
    """A JPEG file with segments, pairs of marker and content, after its first one."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "JPEG", **options)
    content = file.getvalue()
    place = 4 + int.from_bytes(content[4:6], "big")
    return content[:place] + b"".join(map(segment, segments)) + content[place:]


def segment(marker_and_body):
    marker, body = marker_and_body
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def png(*chunks, image=RGB):
    """A PNG file with chunks, pairs of name and content, after its header."""
    file = io.BytesIO()
    Image.fromarray(image).save(file, "PNG")
    content = file.getvalue()
    return content[:33] + b"".join(map(chunk, chunks)) + content[33:]


def chunk(name_and_body):
    name, body = name_and_body
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum


def through(tmp_path, content, before, after):
    """What a file's content becomes, and what is said."""
    (tmp_path / f"a{before}").write_bytes(content)
    photograph = read_photograph(tmp_path / f"a{before}")
    lost = write_photograph(tmp_path / f"b{after}", photograph)
    return (tmp_path / f"b{after}").read_bytes(), [*photograph.notes, *lost]


def long_profile():
    """A colour profile of 1.5 MB."""
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    tags = int.from_bytes(profile[128:132], "big")
    # The last tag's content, of which a reader passes over what it does not know.
    beyond = np.random.default_rng(0).bytes(1_500_000)
    entry = 132 + 12 * (tags - 1)
    offset = len(profile) + -len(profile) % 4
    body = b"text\0\0\0\0" + beyond
    table = profile[:entry] + b"zzzz" + struct.pack(">II", offset, len(body))
    table += profile[entry + 12 :]
    table += bytes(offset - len(table)) + body
    return struct.pack(">I", len(table)) + table[4:]


def test_what_nobody_knows_in_a_jpeg_goes_through_byte_for_byte(tmp_path):
    digest = hashlib.md5(b"long").hexdigest().upper().encode()
    extended = [
        b"http://ns.adobe.com/xmp/extension/\0" + digest + struct.pack(">II", 200, at)
        + bytes([65 + at // 100]) * 100
        for at in (0, 100)
    ]  # fmt: skip
    kept = [
        (0xE1, XMP),
        *((0xE1, part) for part in extended),
        *((0xE1, b"FLIR\0\1" + bytes([i]) * 60_000) for i in range(3)),
        (0xE4, b"vendor"),
        (0xFE, b"first"),
        (0xFE, b"second"),
    ]
    content, notes = through(tmp_path, jpeg(*kept, dpi=(72, 72)), ".jpg", ".jpg")
    assert notes == []
    for one in kept:
        assert content.count(segment(one)) == 1
    with Image.open(io.BytesIO(content)) as written:
        assert written.info["jfif_unit"] == 1 and written.info["dpi"] == (72, 72)
    content, notes = through(tmp_path, jpeg(*kept, dpi=(72, 72)), ".jpg", ".png")
    assert notes == ["not kept in PNG: APP1 (FLIR), APP4 (vendor), extended XMP"]
    with Image.open(io.BytesIO(content)) as written:
        assert written.info["dpi"] == pytest.approx((72, 72), abs=0.01)


def test_what_would_be_wrong_in_a_restored_jpeg_is_named(tmp_path):
    content = jpeg((0xEB, JUMBF), (0xEB, JUMBF + b"more"), (0xE2, b"urn:iso:x"))
    written, notes = through(tmp_path, content, ".jpg", ".jpg")
    assert notes == ["not kept in JPEG: C2PA manifest"]
    assert b"c2pa" not in written and b"urn:iso" not in written


def test_damaged_metadata_of_a_jpeg_is_no_reason_to_refuse_it(tmp_path):
    content = jpeg(
        (0xED, b"Photoshop 3.0\x008BIM\x04\x04"),
        (0xE2, b"ICC_PROFILE\0"),
        (0xE1, b"Exif\0\0MM"),
        (0xE2, b"MPF\0MM\0*\0\0\0\x08\0\0"),
    )
    (tmp_path / "plain.jpg").write_bytes(jpeg())
    (tmp_path / "odd.jpg").write_bytes(content)
    expected = read_image(tmp_path / "plain.jpg")
    np.testing.assert_array_equal(read_image(tmp_path / "odd.jpg"), expected)
    _, notes = through(tmp_path, content, ".jpg", ".png")
    assert notes == ["not kept in PNG: IPTC"]


CARRIED = [
    (b"oFFs", struct.pack(">iiB", 5, 7, 0)),
    (b"bKGD", struct.pack(">HHH", 1, 2, 3)),
    (b"zTXt", b"Title\0\0" + zlib.compress(b"long " * 500_000)),
    (b"iTXt", b"Author\0\1\0en\0Author\0" + zlib.compress(b"Ann " * 500_000)),
    (b"tEXt", b"Raw profile type iptc\0\niptc\n 2\n0102"),
    (b"prIv", b"whatever"),
]


def test_chunks_of_a_png_go_through_byte_for_byte_or_are_named(tmp_path):
    kept = [*CARRIED, (b"sBIT", b"\x08\x08\x08")]
    lost = [(b"sPLT", b"name\0\x08" + bytes(6)), (b"caBX", b"c2pa")]
    lost += [(b"hIST", bytes(2)), (b"prVT", b"1")]
    content, notes = through(tmp_path, png(*kept, *lost), ".png", ".png")
    assert notes == ["not kept in PNG: sPLT, C2PA manifest, hIST, prVT"]
    for one in kept[:-1]:
        assert content.count(chunk(one)) == 1
    _, notes = through(tmp_path, png((b"sBIT", b"\5\6\5")), ".png", ".png")
    assert notes == ["not kept in PNG: sBIT"]
    _, notes = through(tmp_path, png(*kept), ".png", ".webp")
    assert notes == ["not kept in WEBP: oFFs, bKGD, text, prIv"]


def test_a_ratio_of_height_and_width(tmp_path):
    ratio = (b"pHYs", struct.pack(">IIB", 2, 1, 0))
    content, notes = through(tmp_path, png(ratio), ".png", ".png")
    assert notes == [] and chunk(ratio) in content
    _, notes = through(tmp_path, png(ratio), ".png", ".jpg")
    assert notes == ["not kept in JPEG: pixel aspect"]


@pytest.mark.parametrize("name", [b"tEXt", b"zTXt", b"iCCP", b"eXIf", b"pHYs", b"tIME"])
def test_a_damaged_chunk_is_no_reason_to_refuse_a_png(name, tmp_path):
    good = chunk((name, b"Title\0\5 of a picture"))
    content = png()
    content = content[:33] + good[:-4] + b"\0\0\0\0" + content[33:]
    (tmp_path / "a.png").write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), RGB)
    _, notes = through(tmp_path, content, ".png", ".png")
    assert len(notes) == 1


@pytest.mark.parametrize("suffix", [".jpg", ".tif", ".webp"])
def test_a_profile_of_more_than_a_megabyte_makes_the_round(suffix, tmp_path):
    profile = long_profile()
    Image.fromarray(RGB).save(tmp_path / f"a{suffix}", icc_profile=profile)
    content = (tmp_path / f"a{suffix}").read_bytes()
    png_content, notes = through(tmp_path, content, suffix, ".png")
    assert notes == []
    assert read_photograph(tmp_path / "b.png").metadata.icc_profile == profile
    _, notes = through(tmp_path, png_content, ".png", suffix)
    assert notes == []
    assert read_photograph(tmp_path / f"b{suffix}").metadata.icc_profile == profile


def test_tags_of_a_tiff_are_kept_or_named(tmp_path):
    tags = [
        (269, 2, 5, b"Name\0", True),
        (40095, 1, 6, "abc".encode("utf-16le"), True),
        (33550, 12, 3, (1.0, 1.0, 0.0), True),
        (65000, 3, 1, 7, True),
    ]
    for order in "<>":
        tifffile.imwrite(
            tmp_path / "a.tif", RGB, byteorder=order, extratags=tags, photometric="rgb"
        )
        content = (tmp_path / "a.tif").read_bytes()
        _, notes = through(tmp_path, content, ".tif", ".tif")
        assert notes == ["not kept in TIFF: EXIF tag 65000"]
        with tifffile.TiffFile(tmp_path / "b.tif") as written:
            found = written.pages.first.tags
            assert found.valueof(269) == "Name"
            assert found.valueof(33550) == (1.0, 1.0, 0.0)
            assert found[40095].dtype == 1
        larger = read_photograph(tmp_path / "a.tif")
        larger = larger.with_pixels(np.zeros((18, 24, 3), "uint8"), None)
        (said,) = write_photograph(tmp_path / "c.tif", larger)
        assert said.startswith("not kept in TIFF: EXIF ModelPixelScale")


@pytest.mark.parametrize("order", ["<", ">"])
def test_fractions_of_a_tiff_keep_their_number_and_values(order, tmp_path):
    white, colours = (3127, 10000, 329, 1000), (64, 100, 33, 100, 3, 10) * 2
    tags = [(318, 5, 2, white, True), (319, 5, 6, colours, True)]
    tifffile.imwrite(
        tmp_path / "a.tif", RGB, byteorder=order, extratags=tags, photometric="rgb"
    )
    content = (tmp_path / "a.tif").read_bytes()
    _, notes = through(tmp_path, content, ".tif", ".tif")
    assert notes == []
    with tifffile.TiffFile(tmp_path / "b.tif") as written:
        found = written.pages.first.tags
        assert (found[318].count, found[318].value) == (2, white)
        assert (found[319].count, found[319].value) == (6, colours)


@pytest.mark.parametrize("junk", [b"\0\4\x06", b"\xff\0\1", b"\xff\xff"])
def test_what_follows_bytes_between_segments_of_a_jpeg_is_kept(junk, tmp_path):
    plain = jpeg((0xE1, XMP))
    place = plain.index(segment((0xE1, XMP)))
    content = plain[:place] + junk + plain[place:]
    written, notes = through(tmp_path, content, ".jpg", ".jpg")
    assert notes == [] and written.count(XMP) == 1
    np.testing.assert_array_equal(read_image(tmp_path / "a.jpg"), read_image(plain))


@pytest.mark.parametrize("order", ["<", ">"])
def test_an_enlarged_exif_block_has_all_where_it_was(order, tmp_path):
    exif = Image.Exif()
    exif.endian = order
    exif[0x010F] = "Maker"
    exif[0x0100], exif[0x0101] = 12, 9
    note = bytes(range(200))
    exif[0x8769] = {0xA002: 12, 0xA003: 9, 0x927C: note}
    block = exif.tobytes()
    (tmp_path / "a.jpg").write_bytes(jpeg((0xE1, block)))
    photograph = read_photograph(tmp_path / "a.jpg")
    larger = photograph.with_pixels(np.zeros((18, 24, 3), "uint8"), None)
    found = larger.metadata.exif
    assert len(found) == len(photograph.metadata.exif) > 200
    assert found.index(note) == photograph.metadata.exif.index(note)
    read = Image.Exif()
    read.load(b"Exif\0\0" + found)
    inner = read.get_ifd(0x8769)
    assert (read[0x0100], read[0x0101], read[0x010F]) == (24, 18, "Maker")
    assert (inner[0xA002], inner[0xA003], inner[0x927C]) == (24, 18, note)
    cut = larger.metadata.__class__(exif=photograph.metadata.exif[:60])
    assert len(cut.resized((2, 2), (18, 24)).exif) == 60


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_cameras_note_that_a_tiff_cannot_leave_in_its_place_is_named(dtype, tmp_path):
    notes = []
    for number, note in enumerate((b"\1\0\1\0\2\0" + bytes(40), b"Apple iOS\0\0\1")):
        exif = Image.Exif()
        exif[0x8769] = {0x829A: 0.01, 0x927C: note}
        (tmp_path / "a.jpg").write_bytes(jpeg((0xE1, exif.tobytes())))
        photograph = read_photograph(tmp_path / "a.jpg")
        photograph.pixels = photograph.pixels.astype(dtype)
        notes.append(write_photograph(tmp_path / f"{number}.tif", photograph))
        assert note in (tmp_path / f"{number}.tif").read_bytes()
    assert notes == [["the camera's own note lies elsewhere, and may be misread"], []]


def test_exif_in_the_text_of_a_png_of_older_writers_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x010F] = "Maker"
    block = exif.tobytes()
    raw = f"\nexif\n{len(block):8}\n{block.hex()}\n".encode()
    body = b"Raw profile type exif\0\0" + zlib.compress(raw)
    _, notes = through(tmp_path, png((b"zTXt", body)), ".png", ".png")
    assert notes == []
    assert Image.open(tmp_path / "b.png").getexif()[0x010F] == "Maker"


def test_grey_with_alpha_of_16_bits_stays_grey(tmp_path):
    image = np.random.default_rng(1).integers(0, 2**16, (9, 12, 2), dtype="uint16")
    tifffile.imwrite(
        tmp_path / "a.tif",
        image,
        photometric="minisblack",
        planarconfig="contig",
        extrasamples=["unassalpha"],
    )
    content = (tmp_path / "a.tif").read_bytes()
    written, notes = through(tmp_path, content, ".tif", ".png")
    assert notes == [] and written[24:26] == b"\x10\x04"  # 16 bits of grey and alpha
    again = read_photograph(tmp_path / "b.png")
    np.testing.assert_array_equal(again.pixels[..., 0], image[..., 0])
    np.testing.assert_array_equal(again.alpha, image[..., 1])


def test_directories_of_exif_at_16_bits(tmp_path):
    exif = Image.Exif()
    exif[0x013B] = "Jérô".encode()
    exif[0x8769] = {0x829A: 0.01, 0x9003: "2026:01:02 03:04:05", 0x927C: b"note" * 9}
    exif[0x8825] = {1: "N", 2: (48.0, 8.0, 14.5)}
    image = RGB.astype("uint16") * 257
    tifffile.imwrite(tmp_path / "a.tif", image, photometric="rgb")
    photograph = read_photograph(tmp_path / "a.tif")
    Image.fromarray(RGB).save(tmp_path / "b.jpg", exif=exif)
    said = read_photograph(tmp_path / "b.jpg").metadata
    photograph.metadata = said
    moved = ["the camera's own note lies elsewhere, and may be misread"]
    assert write_photograph(tmp_path / "c.tif", photograph) == moved
    again = read_photograph(tmp_path / "c.tif")
    np.testing.assert_array_equal(again.pixels, image)
    assert write_photograph(tmp_path / "d.tif", again) == moved
    assert write_photograph(tmp_path / "d.jpg", read_photograph(tmp_path / "d.tif"))
    for path in ("c.tif", "d.tif", "d.jpg"):
        with Image.open(tmp_path / path) as written:
            tags = written.getexif()
            assert tags.get_ifd(0x8769) == exif[0x8769]
            assert tags.get_ifd(0x8825) == exif[0x8825]
        assert "Jérô".encode() in (tmp_path / path).read_bytes()


@pytest.mark.parametrize(
    "name, start",
    [
        (b"zTXt", b"Raw profile type exif\0\0"),
        (b"zTXt", b"Title\0\0"),
        (b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
        (b"iCCP", b"profile\0\0"),
    ],
)
def test_metadata_that_unpacks_to_hundreds_of_megabytes(name, start, tmp_path):
    packing = zlib.compressobj(1)
    packed = b"".join(packing.compress(bytes(2**20)) for _ in range(100))
    content = png((name, start + packed + packing.flush()))
    (tmp_path / "a.png").write_bytes(content)
    np.testing.assert_array_equal(read_image(tmp_path / "a.png"), RGB)
    _, notes = through(tmp_path, content, ".png", ".jpg")
    assert len(notes) == 1


def test_what_a_png_could_not_be_read_again_with_is_named(tmp_path):
    tag = (700, 1, 2**23 + 1, b"x" * (2**23 + 1), True)
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", extratags=[tag])
    content = (tmp_path / "a.tif").read_bytes()
    for suffix, kind in {".png": "PNG", ".webp": "WEBP", ".tif": "TIFF"}.items():
        _, notes = through(tmp_path, content, ".tif", suffix)
        assert notes == [f"not kept in {kind}: XMP"]
