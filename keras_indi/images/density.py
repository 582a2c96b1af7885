"""Pixel density of image files, in pixels per inch."""

import contextlib
import math
import struct
from typing import Any

INCH, CENTIMETRE = 2, 3  # units of TIFF
METRES = 0.0254  # in an inch


def checked_dpi(dpi: Any) -> tuple[float, float] | None:
    """Return two positive numbers, or `None` if the value is anything else."""
    with contextlib.suppress(Exception):  # 0/0 of a rational number is one
        across, down = (float(value) for value in dpi)
        if min(across, down) > 0 and math.isfinite(across) and math.isfinite(down):
            return across, down
    return None


def of_tiff(page: Any) -> tuple[float, float] | None:
    """Return the pixels per inch of a `tifffile.TiffPage`, or `None`."""
    with contextlib.suppress(Exception):
        unit = {INCH: 1.0, CENTIMETRE: 2.54}[int(page.tags.valueof(296, INCH))]
        across, down = (page.tags.valueof(tag) for tag in (282, 283))
        return checked_dpi((unit * a / b for a, b in (across, down)))
    return None


def of_png(body: bytes) -> tuple[float, float] | None:
    """Return the pixels per inch of a PNG `pHYs` chunk; `None` if only a ratio."""
    with contextlib.suppress(struct.error):
        across, down, is_metre = struct.unpack(">IIB", body)
        return checked_dpi((across * METRES, down * METRES)) if is_metre else None
    return None


def as_png(dpi: tuple[float, float]) -> bytes:
    """Return the content of a PNG `pHYs` chunk."""
    per_metre = [min(2**31 - 1, round(dots / METRES)) for dots in dpi]
    return struct.pack(">IIB", *per_metre, 1)


def as_tiff(resolution: tuple[float, float]) -> tuple[float, ...]:
    """Return a resolution as TIFF can store it: at most 32 bits of whole pixels."""
    return tuple(min(2**32 - 1, dots) for dots in resolution)
