"""Image files of a folder."""

import pathlib

import numpy as np

ENDINGS = (".png", ".jpg", ".jpeg", ".webp", ".tif", ".tiff", ".bmp")


class UnusableImage(ValueError):
    """An image of a folder that cannot be read, or does not suit its partner."""


def find_images(folder):
    """All images of a folder tree.

    Args:
        folder: Path.

    Returns:
        Dict of the paths inside the folder, without their endings, to paths.

    Raises:
        ValueError: If it is no folder, or two files differ in their endings alone.
    """
    folder = pathlib.Path(folder)
    if not folder.is_dir():
        raise ValueError(f"There is no such folder. Received: {folder}")
    found = {}
    for path in sorted(folder.rglob("*")):
        if path.suffix.lower() not in ENDINGS or not path.is_file():
            continue
        name = path.relative_to(folder).with_suffix("").as_posix()
        if name in found:
            raise ValueError(
                "Two images of a folder must not differ in their endings alone. "
                f"Received: {found[name]} and {path}"
            )
        found[name] = path
    return found


def read_image(path, channels=3):
    """Reads an image.

    Args:
        path: Path of the file.
        channels: Int, 3 or 1. Grey images get three equal channels; colour
            ones are refused for 1.

    Returns:
        uint8 array of shape `(height, width, channels)`.

    Raises:
        UnusableImage: If the file cannot be read.
    """
    try:
        from PIL import Image
    except ImportError as error:
        raise ImportError(
            'Reading images needs Pillow. Install it: pip install "keras-indi[data]"'
        ) from error
    try:
        with Image.open(path) as image:
            pixels = np.asarray(image.convert("RGB"))
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
        raise UnusableImage(f"{path} cannot be read: {error}") from error
    if channels == 1:
        if np.any(pixels != pixels[..., :1]):
            raise UnusableImage(f"{path} must be grey, with equal channels")
        return pixels[..., :1]
    return pixels
