"""Colour profiles: validation, and conversion of CMYK with the file's profile."""

import io

import numpy as np


def sound_profile(profile: bytes | None, channels: int) -> bytes | None:
    """Return a profile if it is valid and fits the pixels, else `None`.

    Args:
        profile: Bytes of an ICC profile, or `None`.
        channels: Int, channels of the pixels: 1 (grey), 3 (RGB), or any other number,
            which accepts every valid profile.
    """
    from PIL import ImageCms

    if not profile:
        return None
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        space = opened.profile.xcolor_space.strip()
    except Exception:  # littleCMS raises many exception types on damaged bytes
        return None
    spaces = {1: ("GRAY", "RGB"), 3: ("RGB",)}.get(channels, (space,))
    return profile if space in spaces else None


def cmyk_by_profile(cmyk, profile: bytes) -> np.ndarray | None:
    """Convert CMYK to sRGB with a profile. Return `None` if the profile is damaged.

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
    except Exception:  # littleCMS raises many exception types on damaged bytes
        return None
    return np.asarray(rgb)
