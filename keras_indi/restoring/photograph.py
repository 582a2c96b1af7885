"""A photograph with all that its file says: pixels, alpha, profile, EXIF, density."""

import dataclasses
import io
import pathlib
import struct
import zlib

import numpy as np

from keras_indi.data.images import (
    MAX_PIXELS,
    ORIENTATION,
    UPRIGHT,
    UnusableImageError,
    decode,
    to_channels,
)
from keras_indi.data.value_ranges import RANGES, convert
from keras_indi.files import write_whole

FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}
INVERSE = {6: 8, 8: 6}  # EXIF orientations that another one undoes
# Of a TIFF file's own directory, what tells of the photograph, not of its storage:
# description, make, model, orientation, software, date, artist, copyright, and the
# directories of EXIF and GPS.
TIFF_TAGS = {0x010E, 0x010F, 0x0110, 0x0112, 0x0131, 0x0132, 0x013B, 0x8298}
TIFF_DIRECTORIES = {0x8769, 0x8825}
# How each format is written: what a restoration gained is not lost again.
QUALITY = {
    "JPEG": {"quality": 95, "subsampling": "4:4:4"},
    "WEBP": {"quality": 95, "exact": True},
    "PNG": {},
    "TIFF": {"compression": "tiff_adobe_deflate"},
}


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
    """

    pixels: np.ndarray
    alpha: np.ndarray | None
    orientation: int
    exif: object
    icc_profile: bytes | None
    dpi: tuple | None
    xmp: bytes | None
    notes: list

    @property
    def upright(self):
        """The pixels, turned as a viewer shows them."""
        turn = UPRIGHT.get(self.orientation)
        return self.pixels if turn is None else turn(self.pixels)


def read_photograph(path, max_pixels=MAX_PIXELS):
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
        if header.format != "MPO" and getattr(header, "n_frames", 1) > 1:
            notes.append(f"the first of its {header.n_frames} pages or frames")
        dpi = carried.get("dpi")
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
    )


def write_photograph(path, photograph):
    """Writes a photograph, whole or not at all, in the format of the path's ending.

    PNG and TIFF are lossless and keep 16 bits and alpha. JPEG has quality 95 with
    colours at full resolution, 8 bits and no alpha; WebP quality 95, 8 bits.

    Args:
        path: Path of the file; its folder is made.
        photograph: A `Photograph`.

    Returns:
        List of strings: what the format could not hold.

    Raises:
        ValueError: If the ending is of no such format.
        ImportError: If Pillow, OpenCV or tifffile is missing.
    """
    path = pathlib.Path(path)
    format = FORMATS.get(path.suffix.lower())
    if format is None:
        raise ValueError(
            f"The file's ending must be one of {', '.join(FORMATS)}. Received: "
            f"path={str(path)!r}"
        )
    lost = []
    pixels, alpha = photograph.pixels, photograph.alpha
    if alpha is not None and format == "JPEG":
        lost.append("JPEG has no alpha")
        alpha = None
    if pixels.dtype == "uint16" and format in ("JPEG", "WEBP"):
        lost.append(f"{format} has 8 bits")
        pixels = convert(pixels, "uint8", RANGES["uint8"])
        alpha = None if alpha is None else convert(alpha, "uint8", RANGES["uint8"])
    if alpha is not None:
        pixels = np.concatenate([pixels, alpha[..., None]], axis=-1)
    save = _save_8_bits
    if pixels.dtype == "uint16":
        save = {"PNG": _save_deep_png, "TIFF": _save_deep_tiff}[format]
    write_whole(path, lambda partial: save(partial, format, pixels, photograph))
    return lost


# === Formats ===


def _save_8_bits(path, format, pixels, photograph):
    from PIL import Image, PngImagePlugin

    options = dict(QUALITY[format])
    if len(photograph.exif):
        options["exif"] = photograph.exif.tobytes()
        if TIFF_DIRECTORIES & set(photograph.exif):
            options.pop("compression", None)  # libtiff writes no such directories
    if photograph.icc_profile is not None:
        options["icc_profile"] = photograph.icc_profile
    if photograph.dpi is not None:
        options["dpi"] = photograph.dpi
    if photograph.xmp is not None and format == "PNG":
        options["pnginfo"] = PngImagePlugin.PngInfo()
        options["pnginfo"].add_itxt(
            "XML:com.adobe.xmp", photograph.xmp.decode("utf-8", "replace")
        )
    elif photograph.xmp is not None and format in ("JPEG", "WEBP"):
        options["xmp"] = photograph.xmp
    image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
    image.save(path, format, **options)


def _save_deep_png(path, format, pixels, photograph):
    """16 bits: OpenCV encodes what Pillow cannot; the chunks beside come after."""
    import cv2

    if pixels.shape[-1] == 2:  # grey with alpha, which OpenCV has not
        pixels = pixels[..., [0, 0, 0, 1]]
    code = {3: cv2.COLOR_RGB2BGR, 4: cv2.COLOR_RGBA2BGRA}.get(pixels.shape[-1])
    image = pixels if code is None else cv2.cvtColor(pixels, code)
    content = cv2.imencode(".png", image)[1].tobytes()
    chunks = []
    if photograph.icc_profile is not None:
        body = b"ICC profile\0\0" + zlib.compress(photograph.icc_profile)
        chunks.append((b"iCCP", body))
    if photograph.dpi is not None:
        pixels_per_metre = [round(value / 0.0254) for value in photograph.dpi]
        chunks.append((b"pHYs", struct.pack(">IIB", *pixels_per_metre, 1)))
    if len(photograph.exif):
        body = photograph.exif.tobytes().removeprefix(b"Exif\0\0")
        chunks.append((b"eXIf", body))
    if photograph.xmp is not None:
        chunks.append((b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + photograph.xmp))
    beside = b"".join(
        struct.pack(">I", len(body))
        + name
        + body
        + struct.pack(">I", zlib.crc32(name + body))
        for name, body in chunks
    )
    end = 8 + 4 + 4 + 13 + 4  # of the signature and the header's chunk
    pathlib.Path(path).write_bytes(content[:end] + beside + content[end:])


def _save_deep_tiff(path, format, pixels, photograph):
    """16 bits. Of EXIF the file's own directory alone: tifffile writes no other."""
    try:
        import tifffile
    except ImportError as error:
        raise ImportError(
            "Writing TIFF files of 16 bits needs tifffile. Install it: "
            'pip install "keras-indi[data]"'
        ) from error
    tags = []
    for tag in sorted(TIFF_TAGS & set(photograph.exif)):
        value = photograph.exif[tag]
        # 3 is TIFF's type of 16-bit integers, 2 of text.
        kind, count = (3, 1) if isinstance(value, int) else (2, len(value) + 1)
        tags.append((tag, kind, count, value, True))
    tifffile.imwrite(
        path,
        pixels[..., 0] if pixels.shape[-1] == 1 else pixels,
        photometric="rgb" if pixels.shape[-1] >= 3 else "minisblack",
        planarconfig=None if pixels.shape[-1] == 1 else "contig",
        extrasamples=["unassalpha"] if pixels.shape[-1] in (2, 4) else None,
        compression="zlib",
        iccprofile=photograph.icc_profile,
        resolution=photograph.dpi,
        resolutionunit=None if photograph.dpi is None else "INCH",
        metadata=None,
        software=False,
        extratags=tags,
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
