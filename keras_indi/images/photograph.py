"""A photograph with all that its file says: pixels, alpha, profile, EXIF, density."""

import dataclasses
import io
import pathlib

import numpy as np

from keras_indi.annotations import FilePath
from keras_indi.images.decoding import (
    MAX_PIXELS,
    ORIENTATION,
    UPRIGHT,
    UnusableImageError,
    decode,
    to_channels,
)
from keras_indi.images.jpeg_quality import jpeg_quality

INVERSE = {6: 8, 8: 6}  # EXIF orientations that another one undoes
# Of a TIFF file's own directory, what tells of the photograph, not of its storage:
# description, make, model, orientation, software, date, artist, copyright, and the
# directories of EXIF and GPS.
TIFF_TAGS = {0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298}
EXIF_DIRECTORY = 0x8769
TIFF_DIRECTORIES = {EXIF_DIRECTORY, 0x8825}
# Of width and height: in a file's own directory, and in that of EXIF.
SIZE_TAGS = (0x0100, 0x0101)
EXIF_SIZE_TAGS = (0xA002, 0xA003)


@dataclasses.dataclass
class Photograph:
    """An image file's content.

    Attributes:
        pixels: uint8 or uint16 array of shape `(height, width, 1 or 3)`, grey or
            RGB, in the file's own colour space, as the file stores them: not
            turned by its EXIF orientation.
        alpha: Array of shape `(height, width)` of the same dtype, or `None`.
        orientation: Int, the EXIF orientation, 1 for upright.
        exif: `PIL.Image.Exif`, with the orientation.
        icc_profile: Bytes, or `None`.
        dpi: Pair of numbers, or `None`.
        xmp: Bytes, or `None`.
        notes: List of strings: what of the file could not be kept.
        jpeg_quality: Int, by its quantization tables, on the usual scale of 1 to 100;
            `None` where the file is no JPEG.
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    orientation: int
    exif: object
    icc_profile: bytes | None
    dpi: tuple[float, ...] | None
    xmp: bytes | None
    notes: list[str]
    jpeg_quality: int | None = None

    @property
    def upright(self) -> np.ndarray:
        """The pixels, turned as a viewer shows them."""
        turn = UPRIGHT.get(self.orientation)
        return self.pixels if turn is None else turn(self.pixels)

    def with_pixels(self, pixels: np.ndarray, alpha: np.ndarray | None) -> "Photograph":
        """The photograph with other pixels, as large on paper where they are more.

        Args:
            pixels: Array of shape `(height, width, 1 or 3)`.
            alpha: Array of shape `(height, width)` of the same dtype, or `None`.

        Returns:
            A `Photograph`.
        """
        factors = [new / old for new, old in zip(pixels.shape, self.pixels.shape)]
        if factors[:2] == [1, 1]:
            return dataclasses.replace(self, pixels=pixels, alpha=alpha)
        dpi = self.dpi and tuple(f * d for f, d in zip(factors[1::-1], self.dpi))
        exif = _resized_exif(self.exif, *pixels.shape[:2])
        return dataclasses.replace(self, pixels=pixels, alpha=alpha, dpi=dpi, exif=exif)


def read_photograph(path: FilePath, max_pixels: int = MAX_PIXELS) -> Photograph:
    """Reads a PNG, JPEG, WebP or TIFF file with all that restoring should keep.

    Palettes and CMYK become RGB, bits become grey; of several pages or frames the
    first is read. `notes` tell so.

    Args:
        path: Path of the file.
        max_pixels: Int, the most pixels that are decoded.

    Returns:
        A `Photograph`.

    Raises:
        UnusableImageError: As for `keras_indi.data.read_image`.
        ImportError: If Pillow or OpenCV is missing.
    """
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise UnusableImageError(f"unreadable ({error.strerror})") from error
    image, info = decode(content, max_pixels)
    from PIL import Image

    notes = []
    with Image.open(io.BytesIO(content)) as header:
        carried = header.info
        profile = carried.get("icc_profile") or None
        exif = _exif(header)
        if header.mode == "CMYK":
            notes.append("its CMYK became RGB")
            if profile is not None:
                image, profile = _from_cmyk(header, profile), None
        elif header.mode in ("P", "PA"):
            notes.append("its palette became RGB")
        elif header.mode == "1":
            notes.append("its bits became 8-bit grey")
        frames = getattr(header, "n_frames", 1)
        if header.format != "MPO" and frames > 1:
            notes.append(f"the first of its {frames} pages or frames")
        dpi = carried.get("dpi")
        tables = getattr(header, "quantization", None)
        xmp = carried.get("xmp") or carried.get("XML:com.adobe.xmp")
    orientation = exif.get(ORIENTATION, 1)
    if orientation in UPRIGHT:
        image = UPRIGHT[INVERSE.get(orientation, orientation)](image)
    alpha = np.ascontiguousarray(image[..., 3]) if image.shape[-1] == 4 else None
    return Photograph(
        pixels=to_channels(image[..., :3], info.channels),
        alpha=alpha,
        orientation=orientation,
        exif=exif,
        icc_profile=profile,
        dpi=tuple(float(value) for value in dpi) if dpi else None,
        xmp=xmp.encode() if isinstance(xmp, str) else xmp,
        notes=notes,
        jpeg_quality=jpeg_quality(tables) if tables else None,
    )


# === What stands beside the pixels ===


def _exif(header):
    """The EXIF block, without what tells of the file's storage."""
    from PIL import Image

    try:
        exif = header.getexif()
        if header.format != "TIFF":
            exif.tobytes()  # what is damaged cannot be written again
            return exif
        kept = Image.Exif()
        kept.update({tag: exif[tag] for tag in TIFF_TAGS & set(exif)})
        for directory in TIFF_DIRECTORIES & set(exif):
            kept[directory] = dict(exif.get_ifd(directory))
        kept.tobytes()
        return kept
    except Exception:  # a damaged EXIF block says nothing
        return Image.Exif()


def _resized_exif(exif, height, width):
    """A copy of the EXIF block in which the width and height are right."""
    from PIL import Image

    resized = Image.Exif()
    if len(exif):
        resized.load(exif.tobytes())
    directory = resized.get_ifd(EXIF_DIRECTORY)
    for tags, (tag_width, tag_height) in (
        (resized, SIZE_TAGS),
        (directory, EXIF_SIZE_TAGS),
    ):
        if tag_width in tags:
            tags[tag_width] = width
        if tag_height in tags:
            tags[tag_height] = height
    return resized


def _from_cmyk(header, profile):
    """RGB of sRGB, by the file's own profile."""
    from PIL import ImageCms

    try:
        rgb = ImageCms.profileToProfile(
            header,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
        )
    except ImageCms.PyCMSError:
        rgb = header.convert("RGB")
    image = np.asarray(rgb)
    orientation = header.getexif().get(ORIENTATION, 1)
    if header.format != "TIFF" and orientation in UPRIGHT:
        image = UPRIGHT[orientation](image)
    return image
