"""Open and decode all formats except TIFF, with Pillow."""

import contextlib
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np

from keras_indi.images import boxes, jpeg_segments, png_chunks
from keras_indi.images.orientation import ORIENTATION, checked_orientation
from keras_indi.images.spliced_file import SplicedFile
from keras_indi.images.unusable import (
    MAX_PIXELS,
    TooLargeImageError,
    UnusableImageError,
    check_size,
    parsing,
)
from keras_indi.optional_packages import optional_import

GREY = ("1", "L", "LA", "La", "I;16", "I;16B", "I;16L")
ALPHA = ("LA", "La", "PA", "RGBA", "RGBa")


@contextlib.contextmanager
def opened_image(
    file: BinaryIO, format: str, stored_bytes: int, max_pixels: int | None, most: float
) -> Iterator[Any]:
    """Open a file as a `PIL.Image.Image`, and read only its header.

    JPEG and PNG metadata other than EXIF is hidden from Pillow, because Pillow refuses
    images with damaged or long metadata.

    Args:
        file: File opened for reading.
        format: String, a format of Pillow.
        stored_bytes: Int, the size of the file.
        max_pixels: As for `check_size`.
        most: As for `check_size`.

    Raises:
        UnusableImageError: If it cannot be read.
        TooLargeImageError: As for `check_size`.
        ImportError: If Pillow, or pillow-heif for HEIC, is missing.
    """
    Image = optional_import("PIL.Image", extra="data", purpose="Reading images")
    if format == "HEIF":
        optional_import("pillow_heif", "heif", "Reading HEIC").register_heif_opener()
    most_bytes = 4 * (max_pixels or MAX_PIXELS)
    if format in ("WEBP", "AVIF", "HEIF") and stored_bytes > most_bytes:
        # Their plugins read the whole file before they check it.
        raise TooLargeImageError(f"too large ({format} of {stored_bytes} bytes)")
    left_out: list[tuple[int, int]] = []
    with parsing():
        if format == "PNG":
            left_out = png_chunks.check_whole(file, stored_bytes)
        elif format == "JPEG":
            left_out = jpeg_segments.not_decoded(file)
        file.seek(0)
    seen: Any = SplicedFile(file, stored_bytes, left_out) if left_out else file
    Image.init()
    with contextlib.ExitStack() as stack:
        with parsing():
            # `Image.open` does the same, but has its own process-wide limit.
            opened = Image.OPEN[format][0](LimitedReads(seen), None)
            header = stack.enter_context(opened)
        width, height = header.size
        pixel_bytes = pixel_bits(header) / 8 * channels_of(header)
        check_size(height, width, pixel_bytes, stored_bytes, max_pixels, most)
        _check_runs(header)
        with parsing():
            if format in ("AVIF", "HEIF"):
                header.info.update(boxes.pixels_said(file))
            elif format == "PNG":  # Pillow finds only what precedes the pixels
                header.info["exif"] = png_chunks.read_exif(file, stored_bytes)
        yield header


def _check_runs(header):
    """Raise for run-length encoded BMP files that Pillow decodes wrongly."""
    runs = [tile for tile in header.tile if tile[0] == "bmp_rle"]
    for _, _, offset, (_, are_of_4_bits, *_) in runs:
        if are_of_4_bits or offset % 2:
            raise UnusableImageError(
                "not read (BMP of compressed 4-bit colours, or of runs that begin at "
                "an odd byte; save it as PNG)"
            )


class LimitedReads:
    """A file with a limited number of reads, to stop parsers that never end.

    Args:
        file: File opened for reading.
    """

    MOST = 2**20

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._reads = 0

    def read(self, size: int = -1) -> bytes:
        """Read bytes; raise an OSError after too many reads."""
        self._reads += 1
        if self._reads > self.MOST:
            raise OSError("no image within millions of blocks")
        return self._file.read(size)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def pixel_bits(header: Any) -> int:
    """Return the bits per value in the file, 8 or 16."""
    # 16 bits occur only in PNG. Pillow shows them in the mode for grey, and in the
    # raw mode for colours.
    deep = header.mode.startswith("I;16") or ";16" in _raw_mode(header)
    return 16 if deep else 8


def channels_of(header: Any) -> int:
    """Return the number of channels that `decoded` returns."""
    return (1 if is_grey(header) else 3) + has_alpha(header)


def is_grey(header: Any) -> bool:
    """Return whether the image is grey."""
    # Pillow reports 16-bit grey with alpha as colours.
    return header.mode in GREY or _raw_mode(header).startswith("LA;16")


def has_alpha(header: Any) -> bool:
    """Return whether the image has an alpha channel or a transparent colour."""
    return header.mode in ALPHA or "transparency" in header.info


def orientation_of(header: Any) -> int:
    """Return the orientation in the EXIF block, 1 to 8."""
    if header.format == "HEIF":
        return 1  # its decoder turns the image upright
    if not header.info.get("exif"):
        return 1  # Pillow would read XMP instead
    with contextlib.suppress(Exception):  # ignore a damaged EXIF block
        return checked_orientation(header.getexif().get(ORIENTATION, 1))
    return 1


def decoded(header: Any) -> np.ndarray:
    """Decode an opened image as stored, without applying its orientation.

    Returns:
        uint8 or uint16 array of shape `(height, width, channels)`: grey or RGB, with
        alpha or a transparent colour as the last channel, not multiplied in.

    Raises:
        UnusableImageError: If it is truncated or damaged.
    """
    if header.mode in ("I", "F"):
        raise UnusableImageError("of 32 bits; 8 and 16 bits are read")
    with parsing("truncated or damaged"):
        if pixel_bits(header) == 16:
            return _deep(header)
        transparent = has_alpha(header)
        mode = ("L" if is_grey(header) else "RGB") + ("A" if transparent else "")
        if mode == "LA" and header.mode != "LA":
            return _with_transparent_grey(header)
        image = header if header.mode == mode else header.convert(mode)
        return np.asarray(image).reshape(header.height, header.width, -1)


def _with_transparent_grey(header):
    """Decode grey of at most 8 bits with one transparent value."""
    # Pillow does not scale the transparent value of 2-bit and 4-bit files.
    factor = {"L;2": 85, "L;4": 17}.get(_raw_mode(header), 1)
    transparent = factor * header.info["transparency"]
    grey = np.asarray(header.convert("L"))
    opaque = np.where(grey == transparent, 0, 255).astype("uint8")
    return np.stack([grey, opaque], axis=-1)


def _deep(header):
    """Decode a 16-bit PNG from its high and low bytes, which Pillow can decode."""
    transparency = header.info.get("transparency")
    size = (header.height, header.width)
    if header.mode.startswith("I;16"):
        image = np.asarray(header).astype("uint16", copy=False).reshape(*size, 1)
    elif is_grey(header):  # with alpha: four bytes per pixel, like 8-bit RGBA
        image = _as_mode(header, "RGBA", "RGBA").view(">u2").astype("uint16")
    else:
        header.fp.seek(0)
        again = type(header)(header.fp)
        low = _as_mode(again, header.mode, f"{header.mode};16L")
        header.fp.seek(0)
        high = _as_mode(header, header.mode, f"{header.mode};16B")
        image = np.left_shift(high, 8, dtype="uint16")
        image |= low
    if transparency is None or header.mode in ALPHA:
        return image
    opaque = np.any(image != np.array(transparency, "uint16"), axis=-1, keepdims=True)
    return np.concatenate([image, opaque * np.uint16(65535)], axis=-1)


def _raw_mode(header):
    """Return Pillow's raw mode of the pixels. Empty after they have been read."""
    return str(header.tile[0][3]) if header.tile else ""


def _as_mode(header, mode, raw_mode):
    """Decode the bytes as another raw mode with the same number of bits."""
    header._mode = mode  # as in Pillow's guide to writing a plugin
    header.tile = [tile._replace(args=raw_mode) for tile in header.tile]
    return np.array(header)
