"""Metadata as tags of a TIFF file's own directory."""

from collections.abc import Iterator
from typing import Any

from keras_indi.images import exif
from keras_indi.images.metadata import IPTC_TAG, PHOTOSHOP_TAG, XMP_TAG, Metadata
from keras_indi.images.orientation import ORIENTATION, checked_orientation

BYTE, ASCII, SHORT = 1, 2, 3  # types of TIFF tags


def tiff_tags(metadata: Metadata) -> Iterator[tuple[int, int, Any]]:
    """Triples of tag, type and value.

    Args:
        metadata: `Metadata`.
    """
    found = exif.parsed(metadata.exif)
    for tag in sorted(exif.TIFF_TAGS & set(found)):
        value = found[tag]
        if tag == ORIENTATION:
            yield tag, SHORT, checked_orientation(value)
        elif isinstance(value, (str, bytes)):
            yield tag, ASCII, exif.text_bytes(value).rstrip(b"\0")
    for tag, value in (
        (XMP_TAG, metadata.xmp),
        (IPTC_TAG, metadata.iptc),
        (PHOTOSHOP_TAG, metadata.photoshop),
    ):
        if value is not None:
            yield tag, BYTE, value


def extra_tags(metadata: Metadata) -> list[tuple[int, int, int, Any, bool]]:
    """The same as `tifffile` takes them."""
    return [_extra_tag(*tag) for tag in tiff_tags(metadata)]


def _extra_tag(tag, kind, value):
    value = value + b"\0" if kind == ASCII else value
    return tag, kind, 1 if kind == SHORT else len(value), value, True
