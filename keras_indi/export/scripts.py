"""Script next to an exported file, which runs it with only its runtime."""

import json
from typing import Any

from keras_indi.export.export_format import ExportFormat

# The channel counts that Pillow reads and writes.
MODES = {1: "L", 3: "RGB"}


def has_script(metadata: dict[str, Any]) -> bool:
    """Return whether the model restores photographs, which the script can read."""
    return metadata.get("image_channels") in MODES and "value_range" in metadata


def script(name: str, file: str, format: ExportFormat, metadata: dict[str, Any]) -> str:
    """Return the script for an exported file.

    Args:
        name: String, the file name of the script.
        file: String, the name of the exported file.
        format: `ExportFormat`.
        metadata: Dict, of `description.describe`.
    """
    hint = "bf16" if metadata["precision"] == "bfloat16" else "f32"
    mode = MODES[metadata["image_channels"]]
    pixels = "restored[0]" if mode == "RGB" else "restored[0, ..., 0]"
    imports = sorted(["import numpy as np", format.runtime_import], key=_imported)
    lines = [
        '"""Restores an image, without Keras.',
        "",
        f"pip install {format.runtime} numpy pillow",
        f"python {name} photograph.jpg restored.png",
        '"""',
        "",
        "import pathlib",
        "import sys",
        "",
        *imports,
        "from PIL import Image, ImageOps",
        "",
        "if len(sys.argv) != 3:",
        "    sys.exit(__doc__)",
        f"path = pathlib.Path(__file__).with_name({json.dumps(file)})",
        "# Upright, as cameras record the orientation in the EXIF alone.",
        "image = ImageOps.exif_transpose(Image.open(sys.argv[1]))",
        'if image.mode.startswith("I"):  # 16 bits of grey',
        '    image = Image.fromarray((np.asarray(image) / 257).astype("uint8"))',
        f'image = image.convert("{mode}")',
        *(_sampler(metadata) if metadata["form"] == "sampler" else _denoiser(metadata)),
        format.runtime_call.replace("<type>", hint).rstrip(),
        *_result(metadata),
        'profile = image.info.get("icc_profile")',
        f"Image.fromarray({pixels}).save(sys.argv[2], icc_profile=profile)",
    ]
    return "\n".join(lines) + "\n"


def _imported(line):
    return line.split()[1]


def _sampler(metadata):
    scale, multiple = metadata["scale"], metadata["size_multiple"]
    channels, draws = metadata["image_channels"], metadata["noise_draws"]
    yield from _images(metadata)
    yield 'inputs = {"images": images}'
    if draws:
        size = f"{scale} * size" if scale > 1 else "size"
        yield "# The noise of seed 0, for the padded size. Another seed, another draw."
        padded = f"{size} + -{size} % {multiple}"
        yield f"height, width = ({padded} for size in (height, width))"
        yield f"shape = ({draws}, 1, height, width, {channels})"
        yield "random = np.random.default_rng((0, 0, 0, 1))"
        yield 'inputs["noise"] = random.standard_normal(shape, "float32")'


def _denoiser(metadata):
    scale, multiple = metadata["scale"], metadata["size_multiple"]
    if scale > 1:
        size = f"({scale} * image.width, {scale} * image.height)"
        yield f"image = image.resize({size}, Image.Resampling.BILINEAR)"
    yield from _images(metadata)
    rows, columns = (f"(0, -{size} % {multiple})" for size in ("height", "width"))
    yield f"padding = [(0, 0), {rows}, {columns}, (0, 0)]"
    yield 'degraded = np.pad(images, padding, "reflect")'
    yield "# One step: the estimate at t = 1, where x_t is the degraded image."
    yield 'inputs = {"images": degraded, "times": np.ones(1, "float32")}'
    if metadata["condition_on_degraded"]:
        yield 'inputs["degraded"] = degraded'


def _images(metadata):
    dtype, channels = metadata["dtype"], metadata["image_channels"]
    low, high = metadata["value_range"]
    yield "width, height = image.size"
    yield f'images = np.asarray(image, "{dtype}").reshape(1, height, width, {channels})'
    if (low, high) != (0, 255):
        yield f"images = {low:g} + images * np.float32({(high - low) / 255!r})"


def _result(metadata):
    low, high = metadata["value_range"]
    if metadata["form"] == "denoiser":
        yield "restored = restored[:, :height, :width]"
    if (low, high) != (0, 255):
        yield f"restored = (restored - {low:g}) / np.float32({(high - low) / 255!r})"
    if metadata["dtype"] != "uint8":
        yield 'restored = np.rint(np.clip(restored, 0, 255)).astype("uint8")'
