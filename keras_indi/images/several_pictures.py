"""Files of more than the one picture that is read of them."""

import pathlib
import re

from keras_indi.images.decoding import FORMATS
from keras_indi.optional_packages import optional_import

# The first box of the video that a phone writes behind a JPEG image.
VIDEO = re.compile(rb"\x00\x00\x00[\x08-\x80]ftyp[ -~]{4}")
REDUCED = 1  # bit of a TIFF page that is another, made smaller
JPEG_START = b"\xff\xd8"


def left_out(path: pathlib.Path) -> str | None:
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
        return _left_out(path)
    except ImportError:
        raise
    except Exception:  # reading the picture says why
        return None


def _left_out(path):
    if not path.is_file():  # Zarr holds one image
        return None
    Image = optional_import("PIL.Image", extra="data", purpose="Reading images")
    with open(path, "rb") as file:
        start = file.read(4)
    if start in (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+"):
        pages = _pages(path)
        return None if pages == 1 else f"the first of its {pages} pages or frames"
    with Image.open(path, formats=FORMATS) as header:
        frames = getattr(header, "n_frames", 1)
        kind = "pictures" if header.format == "MPO" else "pages or frames"
    if frames > 1:
        return f"the first of its {frames} {kind}"
    if start.startswith(JPEG_START) and VIDEO.search(path.read_bytes()):
        return "the picture of a motion photo, without its video"
    return None


def _pages(path):
    """How many pictures a TIFF holds, of which the first is read."""
    tifffile = optional_import("tifffile", extra="data", purpose="Reading TIFF files")
    with tifffile.TiffFile(path) as file:
        first = file.series[0].levels[0]
        sizes = zip(first.axes, first.shape)
        # One picture may have its channels in pages.
        one = all(axis in "YXSC" or size == 1 for axis, size in sizes)
        used = len(first.pages) if one else 1
        whole = [page for page in file.pages if not page.subfiletype & REDUCED]
        return max(1, len(whole) - used + 1)
