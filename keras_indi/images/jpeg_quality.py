"""Estimate the quality of a JPEG file from its quantization tables."""

import functools
from collections.abc import Mapping, Sequence

import numpy as np

# The luminance table of ITU-T T.81, K.1, for quality 50 of the usual scale.
LUMINANCE = (
    16, 11, 10, 16, 24, 40, 51, 61,
    12, 12, 14, 19, 26, 58, 60, 55,
    14, 13, 16, 24, 40, 57, 69, 56,
    14, 17, 22, 29, 51, 87, 80, 62,
    18, 22, 37, 56, 68, 109, 103, 77,
    24, 35, 55, 64, 81, 104, 113, 92,
    49, 64, 78, 87, 103, 121, 120, 101,
    72, 92, 95, 98, 112, 100, 103, 99,
)  # fmt: skip


def jpeg_quality(tables: Mapping[int, Sequence[int]]) -> int:
    """Return the quality of a JPEG file on the usual scale of 1 to 100.

    For encoders with custom tables (cameras, Photoshop), this is the quality whose
    luminance steps are closest on average.

    Args:
        tables: The quantization tables, as Pillow's `JpegImageFile.quantization`: dict
            of their numbers to 64 ints each, luminance first.

    Returns:
        Int.

    Reference:
        ITU-T T.81 (1992), table K.1, and its scaling by the Independent JPEG Group's
        `jpeg_quality_scaling`.
    """
    return 1 + int(np.argmin(np.abs(_sums() - sum(tables[min(tables)]))))


@functools.cache
def _sums():
    """Return the sum of the luminance steps at each quality from 1 to 100."""
    qualities = np.arange(1, 101)
    scales = np.where(qualities < 50, 5000 // qualities, 200 - 2 * qualities)
    tables = (scales[:, None] * np.array(LUMINANCE) + 50) // 100
    return np.clip(tables, 1, 255).sum(axis=1)
