"""Colour profiles: whether one is sound, and CMYK by its own."""

import io

import numpy as np


def sound_profile(profile: bytes | None, channels: int) -> bytes | None:
    """A file's profile if it can be read and is of its pixels' kind, else `None`.

    Args:
        profile: Bytes of an ICC profile, or `None`.
        channels: Int, of the pixels: 1 (grey), 3 (RGB), or any other, of which every
            sound profile may be.
    """
    from PIL import ImageCms

    if not profile:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
    except Exception:  # littleCMS raises of all kinds on damaged bytes
        return None
    spaces = {1: ("GRAY", "RGB"), 3: ("RGB",)}.get(channels, (space,))
    return profile if space in spaces else None


def cmyk_by_profile(cmyk, profile: bytes) -> np.ndarray | None:
    """RGB of sRGB by an image's own profile, or `None` where that is damaged.

    Args:
        cmyk: uint8 array of shape `(height, width, 4)`, or a Pillow image of that mode.
        profile: Bytes of an ICC profile.
    """
    from PIL import Image, ImageCms

    try:
        if isinstance(cmyk, np.ndarray):
            size = cmyk.shape[1::-1]
            cmyk = Image.frombytes("CMYK", size, np.ascontiguousarray(cmyk).tobytes())
        rgb = ImageCms.profileToProfile(
            cmyk,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except Exception:  # littleCMS raises of all kinds on damaged bytes
        return None
    return np.asarray(rgb)
