"""Files made to take memory or to end the process: refused by what they declare."""

import json
import os
import struct
import subprocess
import sys
import zlib

import numpy as np
import pytest
from PIL import Image

from keras_indi.images import UnusableImageError, chunked_files, read_image
from keras_indi.images.formats import EXTENSIONS
from keras_indi.restoration.large_files import is_by_blocks

pytestmark = pytest.mark.backend_free

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIZE = 4 * 2**30  # bytes, of files that hold nothing
# Of each kind, what junk may begin with to get past the first look.
BEGINNINGS = {
    "none.png": b"",
    "chunks.png": SIGNATURE,
    "image.webp": b"RIFF\xff\xff\xff\xffWEBPVP8 ",
    "image.jpg": b"\xff\xd8\xff\xe0",
    "image.tif": b"II*\0\x08\0\0\0",
    "image.bmp": b"BM",
    "image.gif": b"GIF89a\xff\xff\xff\xff",
    "image.avif": b"\0\0\0\x1cftypavif",
}


def chunk(name, body, length=None):
    length = len(body) if length is None else length
    check = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", length) + name + body + check


def png(height, width, *chunks):
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return SIGNATURE + chunk(b"IHDR", header) + b"".join(chunks)


def tiff(height, width, compression):
    """A TIFF of one strip that is not in the file, of 218 bytes."""
    tags = [(256, width), (257, height), (258, 8), (259, compression), (262, 1)]
    tags += [(273, 8), (277, 1), (278, height), (279, 100)]
    entries = b"".join(struct.pack("<HHII", tag, 4, 1, value) for tag, value in tags)
    head = b"II*\0" + struct.pack("<IH", 8, len(tags))
    return (head + entries + bytes(4)).ljust(218, b"\0")


def write_hostile_files(folder):
    claim = png(64, 64, chunk(b"IDAT", b"x" * 40, 2**32 - 20))
    (folder / "claim.png").write_bytes(claim[:102])
    for number, compression in enumerate((1, 5, 8)):
        path = folder / f"bomb{number}.tif"
        path.write_bytes(tiff(30000, 30000, compression))
    zarr = folder / "bomb.zarr"
    zarr.mkdir()
    settings = {
        "zarr_format": 2,
        "shape": [10**5, 10**5, 3],
        "chunks": [10**5] * 2 + [3],
    }
    settings |= {"dtype": "|u1", "compressor": None, "fill_value": 0}
    settings |= {"order": "C", "filters": None}
    (zarr / ".zarray").write_text(json.dumps(settings))
    for name, beginning in BEGINNINGS.items():
        with open(folder / f"junk-{name}", "wb") as file:
            file.write(beginning)
            file.truncate(SIZE)  # which takes no disk


READ = """
import pathlib, resource, sys
from keras_indi.images import UnusableImageError, chunked_files, read_image
from keras_indi.images import read_photograph
import cv2, PIL.ImageCms, tifffile, zarr
for name in sys.argv[1:]:
    path = pathlib.Path(name)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    readers = () if path.is_dir() else (read_image, read_photograph)
    if path.suffix in (".tif", ".zarr"):
        readers += (lambda path: chunked_files.opened(path).__enter__(),)
    for reader in readers:
        try:
            reader(path)
        except UnusableImageError:
            continue
        raise SystemExit(f"{name} was read")
    used = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    if used > 200:
        raise SystemExit(f"{name} took {used:.0f} MiB")
"""


def test_they_are_refused_with_little_memory(tmp_path):
    write_hostile_files(tmp_path)
    paths = sorted(map(str, tmp_path.iterdir()))
    assert len(paths) == 5 + len(BEGINNINGS)
    done = subprocess.run(
        [sys.executable, "-c", READ, *paths], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-500:]


def test_a_bomb_is_read_where_its_size_is_allowed(tmp_path):
    """White paper is a bomb too: the flag reads it."""
    path = tmp_path / "paper.webp"
    Image.new("RGB", (8000, 6000), "white").save(path, lossless=True)
    assert path.stat().st_size < 10_000  # which unpack to 144 megabytes
    with pytest.raises(UnusableImageError, match="too large .*pass `max_pixels`"):
        read_image(path)
    assert read_image(path, max_pixels=6000 * 8000).shape == (6000, 8000, 3)
    with pytest.raises(UnusableImageError, match="max_pixels=1000"):
        read_image(path, max_pixels=1000)


def test_a_bomb_takes_no_disk(tmp_path):
    path = tmp_path / "bomb.tif"
    path.write_bytes(tiff(30000, 30000, 8))
    assert is_by_blocks(path)  # and so never whole in memory
    with pytest.raises(UnusableImageError, match="too large"):
        with chunked_files.opened(path):
            pass


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
@pytest.mark.parametrize("suffix", sorted(EXTENSIONS))
def test_a_pipe_is_not_waited_for(suffix, tmp_path):
    path = tmp_path / f"image{suffix}"
    os.mkfifo(path)
    with pytest.raises(UnusableImageError, match="not a regular file"):
        read_image(path)


def test_frames_of_a_broken_animation_do_not_end_the_process(tmp_path):
    """An animated PNG whose second frame lies about its size and place."""
    rows = zlib.compress(bytes(64 * (1 + 64 * 3)))
    control = struct.pack(">IIIIIHHBB", 1, 2**20, 2**20, 2**20, 2**20, 1, 1, 0, 0)
    content = png(
        64,
        64,
        chunk(b"acTL", struct.pack(">II", 2, 0)),
        chunk(b"IDAT", rows),
        chunk(b"fcTL", control),
        chunk(b"fdAT", struct.pack(">I", 2) + rows),
        chunk(b"IEND", b""),
    )
    try:
        read = read_image(content)
    except UnusableImageError:
        return
    np.testing.assert_array_equal(read, np.zeros((64, 64, 3)))
