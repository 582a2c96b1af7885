"""Images that cannot be used: the errors, and what is too large to be unpacked."""

import contextlib
import re
import struct
from collections.abc import Iterator

# 89 megapixels, Pillow's own limit: a quarter of a gigabyte decoded.
MAX_PIXELS = 89_478_485
# A file that unpacks to more than this is a bomb, not a photograph, if it unpacks to
# more than 1000 times its own size: deflate, PNG's and TIFF's, reaches that of nothing
# but one value.
FREE_BYTES = 10**8
MAX_RATIO = 1000
# What parsers raise of bytes that end early or make no sense, in words for programmers.
WITHOUT_WORDS = (struct.error, IndexError, KeyError, EOFError)
NO_WORDS = re.compile(
    "could not create decoder object|not identified by this driver|"
    "cannot load this image|Truncated File Read|requires a buffer of"
)


class UnusableImageError(ValueError):
    """An image that cannot be used: unreadable, truncated, too small, too large.

    Pipelines skip such an image, count it and name it at the end.

    Example:

    >>> try:
    ...     keras_indi.data.read_image("torn.png")
    ... except keras_indi.data.UnusableImageError:
    ...     print("skipped")
    skipped
    """


class TooLargeImageError(UnusableImageError):
    """An image of more pixels than are decoded."""


@contextlib.contextmanager
def parsing(what: str = "unreadable") -> Iterator[None]:
    """Turn whatever a library raises on a damaged file into an `UnusableImageError`.

    Args:
        what: The error's first word, before the library's own message.

    Raises:
        UnusableImageError: For any exception but a missing package.
    """
    try:
        yield
    except (UnusableImageError, ImportError):
        raise
    except Exception as error:  # decoders raise of all kinds on bad bytes
        raise _clear(error, what) from error


def _clear(error, what):
    """The error to raise in place of a library's own."""
    if isinstance(error, MemoryError):
        return TooLargeImageError("too large (for the memory that is free)")
    reason = getattr(error, "strerror", None) or str(error).strip()
    reason = reason.partition("\n")[0][:200] or type(error).__name__
    if type(error).__name__ == "DecompressionBombError":
        # Of WebP and GIF, whose plugins look at Pillow's own limit, one for a process.
        return TooLargeImageError(
            f"too large (for PIL.Image.MAX_IMAGE_PIXELS: {reason})"
        )
    # Pillow wraps what its parsers of headers raise.
    if {type(error), type(error.__cause__)} & {*WITHOUT_WORDS} or NO_WORDS.search(
        reason
    ):
        what = "truncated or damaged"
        reason = "the decoder finds no whole image in it"
    return UnusableImageError(f"{what} ({reason})")


def check_size(
    height: int,
    width: int,
    bytes_per_pixel: float,
    stored_bytes: int,
    max_pixels: int | None,
    most: float = MAX_PIXELS,
) -> None:
    """Raise unless an image may be unpacked, by what its header declares.

    Args:
        height: Int.
        width: Int.
        bytes_per_pixel: Number, of the unpacked image.
        stored_bytes: Int, the size of the file.
        max_pixels: Int, the most pixels, or `None`: then `most`, and no more than
            1000 times what is stored.
        most: Number, the most pixels where `max_pixels` is `None`.

    Raises:
        UnusableImageError: If it has no pixels.
        TooLargeImageError: If it has too many.
    """
    if height < 1 or width < 1:
        raise UnusableImageError(f"unreadable ({height}x{width} pixels)")
    limit = most if max_pixels is None else max_pixels
    if height * width > limit:
        raise TooLargeImageError(
            f"too large ({height}x{width} pixels, max_pixels={limit:.0f})"
        )
    unpacked = height * width * bytes_per_pixel
    if max_pixels is None and unpacked > max(FREE_BYTES, MAX_RATIO * stored_bytes):
        raise TooLargeImageError(
            f"too large ({height}x{width} pixels declared by a file of {stored_bytes} "
            "bytes; pass `max_pixels` to read it all the same)"
        )
