"""Files of more than the one picture that is read of them."""

import math
import pathlib
import re
import sys

from keras_indi.images.formats import opened_file
from keras_indi.images.pillow_files import opened_image
from keras_indi.images.tiff_files import opened_tiff

# The first box of the video that a phone writes behind a JPEG image.
VIDEO = re.compile(rb"\x00\x00\x00[\x08-\x80]ftyp[ -~]{4}")
REDUCED = 1  # bit of a TIFF page that is another, made smaller


def other_pictures(path: pathlib.Path) -> str | None:
    """What a file holds beside the picture that is read of it.

    That are further pages of a TIFF, frames of an animated WebP or PNG, pictures of an
    MPO file (a second view, a map of brightness), and the video of a motion photo; not
    a page that shows the first one made smaller.

    Args:
        path: `pathlib.Path` of a file.

    Returns:
        Part of a sentence, or `None` where it holds one picture, or none that can be
        read.
    """
    try:
        return _other_pictures(path)
    except ImportError:
        raise
    except Exception:  # reading the picture says why
        return None


def _other_pictures(path):
    if not path.is_file():  # Zarr holds one image
        return None
    with opened_file(path) as (file, format, size):
        if format == "TIFF":
            pages = _pages(file)
            return None if pages == 1 else f"the first of its {pages} pages or frames"
        # Of any size: reading the picture says whether it is too large.
        with opened_image(file, format, size, sys.maxsize, math.inf) as header:
            frames = getattr(header, "n_frames", 1)
            kind = "pictures" if header.format == "MPO" else "pages or frames"
        if frames > 1:
            return f"the first of its {frames} {kind}"
    if format == "JPEG" and VIDEO.search(path.read_bytes()):
        return "the picture of a motion photo, without its video"
    return None


def _pages(file):
    """How many pictures a TIFF holds, of which the first is read."""
    with opened_tiff(file) as tiff:
        first = tiff.series[0].levels[0]
        sizes = zip(first.axes, first.shape)
        # One picture may have its channels in pages.
        one = all(axis in "YXSC" or size == 1 for axis, size in sizes)
        used = len(first.pages) if one else 1
        whole = [page for page in tiff.pages if not page.subfiletype & REDUCED]
        return max(1, len(whole) - used + 1)
