"""Detect files that contain more than the one image that is read."""

import math
import pathlib
import re
import sys

from keras_indi.images.boxes import other_boxes
from keras_indi.images.formats import opened_file
from keras_indi.images.pillow_files import opened_image
from keras_indi.images.tiff_files import opened_tiff

# First box of the video that a phone appends to a JPEG image.
VIDEO = re.compile(rb"\x00\x00\x00[\x08-\x80]ftyp[ -~]{4}")
# JPEG markers that are followed by a segment, and the end marker.
MARKER = re.compile(rb"\xff+(?:[\xc0-\xcf]|[\xd9-\xfe])")
LAYERS = 37724  # TIFF tag of Photoshop
REDUCED = 1  # flag of a TIFF page that is a reduced version of another page


def other_pictures(path: pathlib.Path) -> str | None:
    """Describe the content of a file other than the image that is read.

    This includes:

    - further pages and layers of a TIFF, but not reduced versions of the first page;
    - frames of an animated WebP or PNG;
    - further images of an MPO file (a second view, a gain map);
    - depth and gain maps in HEIC;
    - data behind the image, such as the video of a motion photo.

    Args:
        path: `pathlib.Path` of a file.

    Returns:
        Part of a sentence, or `None` if the file contains only one image or is
        unreadable.
    """
    try:
        return _other_pictures(path)
    except ImportError:
        raise
    except Exception:  # reading the image will raise with the reason
        return None


def _other_pictures(path):
    if not path.is_file():  # Zarr holds one image
        return None
    with opened_file(path) as (file, format, size):
        if format == "TIFF":
            return _others_of_tiff(file)
        # No size limit here: reading the image will raise if it is too large.
        with opened_image(file, format, size, sys.maxsize, math.inf) as header:
            frames = getattr(header, "n_frames", 1)
            kind = "pictures" if header.format == "MPO" else "pages or frames"
            maps = _maps(header.info)
        if frames > 1:
            return f"the first of its {frames} {kind}"
        file.seek(0)
        behind = _behind(BEHIND[format](file.read())) if format in BEHIND else None
        if maps and behind is None:
            return f"the picture without its {maps}"
        return behind


def _maps(info):
    """Return the names of the auxiliary maps of a HEIC image. Empty if none."""
    names = ["map of depth"] if any(info.get("depth_images") or ()) else []
    names += [str(kind).rpartition(":")[2] for kind in info.get("aux") or ()]
    return " and ".join(names)


def _behind(content):
    """Describe the bytes behind an image, ignoring padding."""
    if VIDEO.search(content):
        return "the picture of a motion photo, without its video"
    if content.strip(b"\0\xff"):
        return f"the picture without the {len(content)} bytes behind it"
    return None


def _end_of_jpeg(content):
    """Return the offset at which the image of a valid file ends."""
    place = 2
    while marker := MARKER.search(content, place):
        place = marker.end()
        if marker[0][-1:] == b"\xd9":
            return place
        place += int.from_bytes(content[place : place + 2], "big")
    return len(content)


def _end_of_png(content):
    place = 8
    while content[place + 4 : place + 8] not in (b"IEND", b""):
        place += 12 + int.from_bytes(content[place : place + 4], "big")
    return place + 12


def _end_of_webp(content):
    size = int.from_bytes(content[4:8], "little")
    return 8 + size + size % 2


# Functions that return the content of a file outside its image.
BEHIND = {
    "JPEG": lambda content: content[_end_of_jpeg(content) :],
    "PNG": lambda content: content[_end_of_png(content) :],
    "WEBP": lambda content: content[_end_of_webp(content) :],
    "AVIF": other_boxes,
    "HEIF": other_boxes,
}


def _others_of_tiff(file):
    with opened_tiff(file) as tiff:
        pages = _pages(tiff)
        if pages > 1:
            return f"the first of its {pages} pages or frames"
        if LAYERS in tiff.pages.first.tags:
            return "the picture without its layers"
    return None


def _pages(tiff):
    """Return the number of images in a TIFF. Only the first is read."""
    level = tiff.series[0].levels[0]
    sizes = zip(level.axes, level.shape)
    # One image can have its channels in separate pages.
    one = all(axis in "YXSC" or size == 1 for axis, size in sizes)
    used = {page.offset for page in level.pages[:] if page} if one else set()
    used.add(tiff.pages.first.offset)
    found = [*tiff.pages]
    for page in tiff.pages:
        found += getattr(page, "pages", None) or ()  # sub-pages
    others = [page for page in found if page.offset not in used]
    return 1 + sum(not page.subfiletype & REDUCED for page in others)
