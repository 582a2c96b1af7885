"""Errors for images that cannot be used, and limits of image size."""

import contextlib
import re
import struct
from collections.abc import Iterator

# 89 megapixels, the limit of Pillow: a quarter of a gigabyte when decoded.
MAX_PIXELS = 89_478_485
# A file that unpacks to more than this, and to more than 1000 times its own size, is a
# decompression bomb. Deflate (PNG, TIFF) reaches that ratio only for constant images.
FREE_BYTES = 10**8
MAX_RATIO = 1000
# Exceptions of parsers on truncated or invalid bytes, with messages for programmers.
WITHOUT_WORDS = (struct.error, IndexError, KeyError, EOFError)
NO_WORDS = re.compile(
    "could not create decoder object|not identified by this driver|"
    "cannot load this image|Truncated File Read|requires a buffer of"
)


class UnusableImageError(ValueError):
    """Raised for an image that is unreadable, truncated, too small or too large.

    Pipelines skip and count such images, and list them at the end.

    Example:

    >>> try:
    ...     keras_indi.data.read_image("torn.png")
    ... except keras_indi.data.UnusableImageError:
    ...     print("skipped")
    skipped
    """


class TooLargeImageError(UnusableImageError):
    """Raised for an image with more pixels than the limit."""


@contextlib.contextmanager
def parsing(what: str = "unreadable") -> Iterator[None]:
    """Convert any exception of a library into an `UnusableImageError`.

    Args:
        what: String, start of the error message, before the message of the library.

    Raises:
        UnusableImageError: For any exception but a missing package.
    """
    try:
        yield
    except (UnusableImageError, ImportError):
        raise
    except Exception as error:  # decoders raise many exception types on bad bytes
        raise _clear(error, what) from error


def _clear(error, what):
    """Return the error to raise instead of a library's exception."""
    if isinstance(error, MemoryError):
        return TooLargeImageError("too large (for the memory that is free)")
    reason = getattr(error, "strerror", None) or str(error).strip()
    reason = reason.partition("\n")[0][:200] or type(error).__name__
    if type(error).__name__ == "DecompressionBombError":
        # The plugins for WebP and GIF check Pillow's process-wide limit.
        return TooLargeImageError(
            f"too large (for PIL.Image.MAX_IMAGE_PIXELS: {reason})"
        )
    # Pillow wraps the exceptions of its header parsers.
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
    """Raise if the header of an image declares no pixels or too many.

    Args:
        height: Int.
        width: Int.
        bytes_per_pixel: Number, bytes per pixel of the unpacked image.
        stored_bytes: Int, the size of the file.
        max_pixels: Int, maximum number of pixels. `None` uses `most`, and refuses
            files that declare more than 1000 times their own size.
        most: Number, maximum number of pixels if `max_pixels` is `None`.

    Raises:
        UnusableImageError: If the image has no pixels.
        TooLargeImageError: If the image has too many pixels.
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
