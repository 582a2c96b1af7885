"""From format to format: what stands beside the pixels is kept, or named."""

import io
import struct

import numpy as np
import pytest
import tifffile
from PIL import ExifTags, Image, ImageCms

from keras_indi.data import UnusableImageError
from keras_indi.images import photoshop, read_photograph, write_photograph

pytestmark = pytest.mark.backend_free

RGB = np.random.default_rng(0).integers(0, 256, (9, 12, 3), dtype="uint8")
ORDERS = {"<": b"II", ">": b"MM"}
EXIF, GPS, INTEROP, NOTE, COMMENT = 0x8769, 0x8825, 0xA005, 0x927C, 0x9286
MOVED = "the camera's own note lies elsewhere, and may be misread"
XMP = b"<x:xmpmeta xmlns:x='adobe:ns:meta/'/>"
# Code, type, number, and values as `struct` takes them, of odd but sound tags.
ODD = [
    (0x829A, 5, 1, "2I", (10, 1000)),  # a fraction that could be reduced
    (0x9204, 10, 1, "2i", (-2, 6)),
    (0x9205, 5, 1, "2I", (0, 0)),
    (0x9290, 2, 6, "6s", (b"1\0002\0\0\0",)),
    (0xA301, 1, 1, "B", (1,)),  # most cameras call these bytes undefined
    (0xA432, 5, 4, "8I", (24, 1, 70, 1, 28, 10, 0, 0)),
    (0xC000, 6, 3, "3b", (-1, 2, -3)),
    (0xC001, 12, 1, "d", (0.1,)),
]


def directory(order, place, tags, following=0):
    """A directory of tags for a place in a block, as bytes."""
    entries, values = b"", b""
    begin = place + 2 + 12 * len(tags) + 4
    for code, kind, number, form, value in tags:
        packed = struct.pack(order + form, *value)
        entries += struct.pack(f"{order}HHI", code, kind, number)
        if len(packed) > 4:
            entries += struct.pack(f"{order}I", begin + len(values))
            values += packed + bytes(len(packed) % 2)
        else:
            entries += packed.ljust(4, b"\0")
    head = struct.pack(f"{order}H", len(tags))
    return head + entries + struct.pack(f"{order}I", following) + values


def block(order, exif=(), gps=(), interop=(), thumbnail=b""):
    """An EXIF block of these directories."""
    own = [(0x010F, 2, 6, "6s", (b"Maker\0",))]
    places = dict.fromkeys([tag for tag, one in ((EXIF, exif), (GPS, gps)) if one], 0)
    content = b""
    for _ in range(2):  # first for their lengths
        pointers = [(tag, 4, 1, "I", (place,)) for tag, place in places.items()]
        bodies = b""
        begin = 8 + len(directory(order, 8, [*own, *pointers]))
        if exif:
            places[EXIF] = begin
            inner = [*exif, *([(INTEROP, 4, 1, "I", (0,))] if interop else [])]
            end = begin + len(directory(order, begin, inner))
            if interop:
                inner[-1] = (INTEROP, 4, 1, "I", (end,))
            bodies = directory(order, begin, inner)
            bodies += directory(order, end, interop) if interop else b""
        if gps:
            places[GPS] = begin + len(bodies)
            bodies += directory(order, places[GPS], gps)
        following = begin + len(bodies) if thumbnail else 0
        content = directory(order, 8, [*own, *pointers], following) + bodies
    if thumbnail:
        tags = [(0x0201, 4, 1, "I", (0,)), (0x0202, 4, 1, "I", (len(thumbnail),))]
        tags[0] = (0x0201, 4, 1, "I", (following + 2 + 24 + 4,))
        content += directory(order, following, tags) + thumbnail
    return ORDERS[order] + struct.pack(f"{order}HI", 42, 8) + content


def tags_at(content, place=None):
    """Dict of a directory's codes to type, number and bytes in little-endian order."""
    order = {value: key for key, value in ORDERS.items()}[content[:2]]
    if place is None:
        (place,) = struct.unpack_from(f"{order}I", content, 4)
    (number,) = struct.unpack_from(f"{order}H", content, place)
    found = {}
    for at in range(place + 2, place + 2 + 12 * number, 12):
        code, kind, count = struct.unpack_from(f"{order}HHI", content, at)
        form = {1: "B", 2: "c", 3: "H", 4: "I", 5: "2I", 6: "b", 7: "c", 10: "2i"}
        form = {**form, 12: "d"}[kind]
        letters = form[-1] * count * (2 if form[0] == "2" else 1)
        size = struct.calcsize(f"<{letters}")
        begin = at + 8
        if size > 4:
            (begin,) = struct.unpack_from(f"{order}I", content, begin)
        values = struct.unpack_from(f"{order}{letters}", content, begin)
        found[code] = kind, count, struct.pack(f"<{letters}", *values)
    return found


def within(content, *codes):
    """The tags of a directory that tags lead to."""
    found = tags_at(content)
    for code in codes:
        found = tags_at(content, int.from_bytes(found[code][2], "little"))
    return found


def exif_of(path):
    """The EXIF block of a written file; of a TIFF its whole content."""
    if path.suffix == ".tif":
        return path.read_bytes()
    with Image.open(path) as image:
        return image.info["exif"].removeprefix(b"Exif\0\0")


def convert(source, suffix):
    """The path of the file, written in another format, and what is said."""
    photograph = read_photograph(source)
    path = source.with_name(f"{source.stem}-{source.suffix[1:]}{suffix}")
    lost = write_photograph(path, photograph)
    return path, [*photograph.notes, *lost]


def save(path, exif=b"", **options):
    Image.fromarray(RGB).save(path, exif=b"Exif\0\0" + exif, **options)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_passes_through_tiff_with_types_and_values_as_they_are(order, tmp_path):
    place = [(1, 2, 2, "2s", (b"N\0",)), (2, 5, 3, "6I", (48, 1, 8, 2, 0, 100))]
    wide = "Grüße".encode("utf-16-le" if order == "<" else "utf-16-be")
    text = (COMMENT, 7, 18, "18s", (b"UNICODE\0" + wide,))
    other = [(1, 2, 4, "4s", (b"R98\0",))]
    source = save(
        tmp_path / "a.jpg", block(order, [*ODD[:3], text, *ODD[3:]], place, other)
    )
    before = exif_of(source)
    expected = {code: tag for code, tag in within(before, EXIF).items()}
    del expected[INTEROP]
    expected[COMMENT] = 7, 18, b"UNICODE\0" + "Grüße".encode("utf-16-le")
    tiff, notes = convert(source, ".tif")
    assert notes == []
    for suffix in (".tif", ".jpg", ".png", ".webp"):
        path, notes = convert(tiff, suffix)
        assert notes == []
        for content in (exif_of(tiff), exif_of(path)):
            found = within(content, EXIF)
            assert {**found, INTEROP: None} == {**expected, INTEROP: None}
            assert within(content, GPS) == within(before, GPS)
            assert within(content, EXIF, INTEROP) == within(before, EXIF, INTEROP)
            assert tags_at(content)[0x010F] == (2, 6, b"Maker\0")


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".tif"])
def test_a_cameras_note_that_leaves_a_tiff_is_named(suffix, tmp_path):
    for note, said in (
        (b"\1\0\1\0\2\0" + bytes(40), [MOVED]),
        (b"SONY DSC \0\0\0" + bytes(40), [MOVED]),
        (b"Apple iOS\0\0\1MM" + bytes(40), []),
    ):
        tag = (NOTE, 7, len(note), f"{len(note)}s", (note,))
        tiff, _ = convert(save(tmp_path / "a.jpg", block("<", [tag])), ".tif")
        path, notes = convert(tiff, suffix)
        assert notes == said
        assert within(exif_of(path), EXIF)[NOTE][2] == note
    for direct in (".jpg", ".png", ".webp"):  # whose blocks are as they were
        assert convert(tmp_path / "a.jpg", direct)[1] == []


@pytest.mark.parametrize("start", [b"OLYMPUS\0II\3\0", b"OM SYSTEM\0\0\0II\4\0"])
def test_a_note_whose_directories_may_lie_behind_it_is_named(start, tmp_path):
    note = start + bytes(120)
    tag = (NOTE, 7, len(note), f"{len(note)}s", (note,))
    source = save(tmp_path / "a.jpg", block("<", [tag]))
    assert convert(source, ".tif")[1] == [MOVED]
    assert convert(source, ".png")[1] == []


@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
@pytest.mark.parametrize("to", [".jpg", ".png", ".webp", ".tif"])
def test_a_thumbnail_would_not_show_the_restored_image(order, suffix, to, tmp_path):
    small = io.BytesIO()
    Image.fromarray(RGB).save(small, "JPEG")
    content = block(order, ODD, thumbnail=small.getvalue())
    source = save(tmp_path / f"a{suffix}", content)
    assert Image.open(source).getexif().get_ifd(ExifTags.IFD.IFD1)
    path, notes = convert(source, to)
    assert notes == []
    found = Image.open(path).getexif()
    assert not found.get_ifd(ExifTags.IFD.IFD1) and found[0x010F] == "Maker"
    if to != ".tif":  # in which EXIF is stored in another way
        before = Image.open(source).getexif()
        assert str(found.get_ifd(EXIF)) == str(before.get_ifd(EXIF))  # one is 0/0


CAPTION = photoshop.resource(1028, b"\x1c\x02x\0\x03abc")
SLICES = b"8BIM\x04\x1a\3abc" + struct.pack(">I", 3) + b"xyz\0"  # with a name


@pytest.mark.parametrize("suffix", [".jpg", ".tif"])
def test_thumbnails_of_photoshop_are_left_out(suffix, tmp_path):
    thumbnails = [photoshop.resource(number, bytes(31)) for number in (1033, 1036)]
    source = tmp_path / f"a{suffix}"
    resources = b"".join([thumbnails[0], CAPTION, SLICES, thumbnails[1]])
    if suffix == ".tif":
        tag = (34377, 1, len(resources), resources, True)
        tifffile.imwrite(source, RGB, extratags=[tag])
    else:
        save(source)
        content = b"Photoshop 3.0\0" + resources
        segment = b"\xff\xed" + (len(content) + 2).to_bytes(2, "big") + content
        whole = source.read_bytes()
        source.write_bytes(whole[:2] + segment + whole[2:])
    path, notes = convert(source, ".jpg")
    assert notes == []
    assert CAPTION + SLICES in path.read_bytes()
    assert thumbnails[1] not in path.read_bytes()


def test_damaged_resources_of_photoshop_are_kept():
    for cut in range(len(CAPTION + SLICES)):
        resources = (CAPTION + SLICES)[:cut]
        assert photoshop.without_thumbnails(resources) == resources


def profile():
    return ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()


def extension(label, *blocks, raw=b""):
    parts = b"".join(bytes([len(block)]) + block for block in blocks)
    return b"!" + bytes([label]) + parts + raw + b"\0"


def gif(before=b"", after=b""):
    """A GIF file with extensions before and after its picture."""
    file = io.BytesIO()
    Image.fromarray(RGB).quantize(8).save(file, "GIF")
    content = file.getvalue()
    place = 13 + 3 * 2 ** ((content[10] & 7) + 1)
    return b"GIF89a" + content[6:place] + before + content[place:-1] + after + b";"


def test_what_a_gif_holds_beside_its_picture_is_kept_or_named(tmp_path):
    icc = profile()
    parts = [icc[at : at + 255] for at in range(0, len(icc), 255)]
    magic = bytes([1, *range(255, -1, -1)])
    source = tmp_path / "a.gif"
    source.write_bytes(
        gif(
            extension(0xFF, b"ICCRGBG1012", *parts) + extension(0xFE, b"first"),
            extension(0xFF, b"XMP DataXMP", raw=XMP + magic)
            + extension(0xFE, "zweitens, größer".encode())
            + extension(0xFF, b"fractint001", b"data")
            + extension(0xFF, b"NETSCAPE2.0", b"\1\0\0"),
        )
    )
    of_application = "data of an application (fractint001)"
    for suffix, kind, comments in (
        (".png", "PNG", []),
        (".jpg", "JPEG", []),
        (".tif", "TIFF", ["comment"]),
        (".webp", "WEBP", ["comment"]),
    ):
        path, notes = convert(source, suffix)
        names = ", ".join(sorted([*comments, of_application]))
        assert notes == ["its palette became RGB", f"not kept in {kind}: {names}"]
        metadata = read_photograph(path).metadata
        assert (metadata.icc_profile, metadata.xmp) == (icc, XMP)
    assert read_photograph(tmp_path / "a-gif.jpg").metadata.comments == (
        b"first",
        "zweitens, größer".encode(),
    )


@pytest.mark.parametrize("kept", [0, 5, 20, 40])
def test_a_gif_whose_extensions_end_early(kept, tmp_path):
    content = gif(after=extension(0xFF, b"XMP DataXMP", raw=XMP))
    source = tmp_path / "a.gif"
    source.write_bytes(content[: len(content) - 50 + kept])
    path, _ = convert(source, ".png")
    assert path.exists()


def bmp(kind=b" niW", data=b"", calibration=bytes(48)):
    """A BMP file of the longest header, with a kind of colours and their data."""
    file = io.BytesIO()
    Image.fromarray(RGB).save(file, "BMP")
    content = file.getvalue()
    pixels = content[54:]
    place = 124 + len(pixels)
    shape = content[18:38] + bytes(8) + content[46:54]  # without a density
    header = struct.pack("<I", 124) + shape + bytes(16) + kind + calibration
    header += struct.pack("<IIII", 4, place if data else 0, len(data), 0)
    size = 14 + len(header) + len(pixels) + len(data)
    head = b"BM" + struct.pack("<III", size, 0, 14 + len(header))
    return head + header + pixels + data


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".tif", ".webp"])
def test_the_colours_of_a_bmp_are_kept_or_named(suffix, tmp_path):
    source, icc = tmp_path / "a.bmp", profile()
    source.write_bytes(bmp(b"DEBM", icc))
    path, notes = convert(source, suffix)
    assert notes == [] and read_photograph(path).metadata.icc_profile == icc
    np.testing.assert_array_equal(read_photograph(source).pixels, RGB)
    kind = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".webp": "WEBP"}[suffix]
    for content, said in (
        (bmp(), []),
        (bmp(bytes(4)), []),
        (bmp(bytes(4), calibration=b"\1" * 48), ["calibrated colours"]),
        (bmp(b"KNIL", b"C:\\colours.icc"), ["link to a colour profile"]),
    ):
        source.write_bytes(content)
        _, notes = convert(source, suffix)
        assert notes == [f"not kept in {kind}: {name}" for name in said]
    source.write_bytes(bmp(b"DEBM", b"no profile"))
    _, notes = convert(source, suffix)
    assert notes == ["its colour profile is damaged or of other colours: left out"]


def test_print_image_matching_of_a_tiff_is_kept(tmp_path):
    tag = (0xC4A5, 7, 12, b"PrintIM\x000250\0"[:12], True)
    tifffile.imwrite(tmp_path / "a.tif", RGB, photometric="rgb", extratags=[tag])
    for suffix in (".tif", ".jpg", ".png", ".webp"):
        path, notes = convert(tmp_path / "a.tif", suffix)
        assert notes == []
        assert tags_at(exif_of(path))[0xC4A5] == (7, 12, tag[3])


def big_tiff(path, order, exif, place=None):
    """A TIFF file whose places have 64 bits, with tags of EXIF behind all else."""
    for _ in range(2):  # first for its size
        at = path.stat().st_size if path.exists() and place is None else place or 0
        tifffile.imwrite(
            path,
            RGB,
            bigtiff=True,
            byteorder=order,
            photometric="rgb",
            metadata=None,
            extratags=[(EXIF + 1, 16, 1, at, True)],
        )
    # tifffile itself writes no such tag.
    codes = [struct.pack(f"{order}HHQ", code, 16, 1) for code in (EXIF + 1, EXIF)]
    path.write_bytes(path.read_bytes().replace(*codes))
    entries, values = struct.pack(f"{order}Q", len(exif)), b""
    begin = path.stat().st_size + 8 + 20 * len(exif) + 8
    for code, kind, number, form, value in exif:
        packed = struct.pack(order + form, *value)
        entries += struct.pack(f"{order}HHQ", code, kind, number)
        if len(packed) > 8:
            entries += struct.pack(f"{order}Q", begin + len(values))
            values += packed
        else:
            entries += packed.ljust(8, b"\0")
    with path.open("ab") as file:
        file.write(entries + bytes(8) + values)
    return path


@pytest.mark.parametrize("order", ["<", ">"])
def test_exif_of_a_tiff_of_64_bits(order, tmp_path):
    source = big_tiff(tmp_path / "a.tif", order, ODD)
    expected = within(block(order, ODD), EXIF)
    for suffix in (".jpg", ".png", ".webp", ".tif"):
        path, notes = convert(source, suffix)
        assert notes == [] and within(exif_of(path), EXIF) == expected


@pytest.mark.parametrize("place", [2**64 - 1, 2**63, 2**40, 1])
def test_exif_that_lies_nowhere_is_named(place, tmp_path):
    source = big_tiff(tmp_path / "a.tif", "<", ODD, place)
    for suffix, kind in ((".jpg", "JPEG"), (".tif", "TIFF")):
        _, notes = convert(source, suffix)
        assert notes == [f"not kept in {kind}: EXIF of the exposure"]


@pytest.mark.parametrize("suffix, most", [(".jpg", 65_500), (".webp", 16_383)])
def test_a_side_that_a_format_does_not_hold_is_refused_before(suffix, most, tmp_path):
    Image.new("L", (most, 2)).save(tmp_path / "a.png")
    path, notes = convert(tmp_path / "a.png", suffix)
    assert notes == [] and read_photograph(path).pixels.shape[:2] == (2, most)
    Image.new("L", (2, most + 1)).save(tmp_path / "b.png")
    with pytest.raises(UnusableImageError, match=f"holds at most {most} pixels"):
        convert(tmp_path / "b.png", suffix)
