"""Conversion between grey and RGB, and alpha."""

from types import ModuleType

import numpy as np

from keras_indi.optional_packages import optional_import


def to_channels(image: np.ndarray, channels: int) -> np.ndarray:
    """Convert an image to 1 or 3 channels.

    Args:
        image: uint8, uint16 or float array of shape `(height, width, 1 or 3)`.
        channels: 1 or 3.

    Returns:
        Contiguous array of shape `(height, width, channels)`.
    """
    if image.shape[-1] == channels:
        return np.ascontiguousarray(image)
    if channels == 3:
        return np.repeat(image, 3, axis=-1)
    cv2 = require_opencv()
    if image.dtype.kind == "f" and image.dtype != "float32":
        return to_channels(image.astype("float32"), channels).astype(image.dtype)
    return cv2.cvtColor(np.ascontiguousarray(image), cv2.COLOR_RGB2GRAY)[..., None]


def over_black(image: np.ndarray) -> np.ndarray:
    """Multiply colours by their alpha, in bands of rows to limit memory."""
    most = 1 if image.dtype.kind == "f" else np.iinfo(image.dtype).max
    colours = np.empty((*image.shape[:2], image.shape[-1] - 1), image.dtype)
    for top in range(0, len(image), 64):
        band = image[top : top + 64].astype("float32")
        light = band[..., :-1] * (band[..., -1:] / np.float32(most))
        colours[top : top + 64] = light if most == 1 else np.rint(light)
    return colours


def require_opencv() -> ModuleType:
    """Return the module `cv2`, or raise an ImportError with install instructions."""
    return optional_import("cv2", extra="data", purpose="Reading images")
